import { AppautoscalingPolicy } from '@cdktf/provider-aws/lib/appautoscaling-policy/index.js';
import type { AppautoscalingPolicyStepScalingPolicyConfigurationStepAdjustment } from '@cdktf/provider-aws/lib/appautoscaling-policy/index.js';
import { AppautoscalingTarget } from '@cdktf/provider-aws/lib/appautoscaling-target/index.js';
import { CloudwatchMetricAlarm } from '@cdktf/provider-aws/lib/cloudwatch-metric-alarm/index.js';
import type { EcsService } from '@cdktf/provider-aws/lib/ecs-service/index.js';
import type { TerraformResource } from 'cdktf';
import { Construct } from 'constructs';
import { backlog, idle } from './metrics.ts';
import type { WorkQueues } from './metrics.ts';
import { nameOf } from './names.ts';

interface ScalingProps {
  readonly stage: string;
  readonly clusterName: string;
  readonly service: EcsService;
  readonly queues: WorkQueues;
  readonly minWorkers: number;
  readonly maxWorkers: number;
}

/** https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-limits.html */
const MAX_STEPS = 20;

/**
 * Runs one worker for each message that waits or is in work, up to maxWorkers, and minWorkers again after five minutes
 * without work. The number of workers follows from the backlog alone, so scaling also starts from zero. A worker that
 * is stopped while it works returns its unit to the queue at once.
 *
 * CloudWatch invokes a scaling policy each minute while the alarm lasts, not only when it begins. So the alarm that
 * stops workers must end with the last worker. Otherwise it would stop the worker that an upload starts, before SQS
 * has reported the upload. https://repost.aws/knowledge-center/autoscaling-policy-cloudwatch-alarm
 */
export class Scaling extends Construct {
  constructor(scope: Construct, id: string, props: ScalingProps) {
    super(scope, id);
    const { stage, clusterName, service, queues, minWorkers, maxWorkers } = props;
    // AWS deletes a scalable target with its service, and policies with their target. A replaced service keeps its
    // name, so Terraform would not notice.
    const replacedWith = (resource: TerraformResource) => ({
      replaceTriggeredBy: [`${resource.terraformResourceType}.${resource.friendlyUniqueId}.id`],
    });
    const target = new AppautoscalingTarget(this, 'workers', {
      serviceNamespace: 'ecs',
      scalableDimension: 'ecs:service:DesiredCount',
      resourceId: `service/${clusterName}/${service.name}`,
      minCapacity: minWorkers,
      maxCapacity: maxWorkers,
      lifecycle: replacedWith(service),
    });
    const scale = (
      name: string,
      steps: readonly AppautoscalingPolicyStepScalingPolicyConfigurationStepAdjustment[],
      cooldown: number,
    ) =>
      new AppautoscalingPolicy(this, name, {
        name: nameOf(stage, name),
        policyType: 'StepScaling',
        serviceNamespace: target.serviceNamespace,
        scalableDimension: target.scalableDimension,
        resourceId: target.resourceId,
        stepScalingPolicyConfiguration: {
          adjustmentType: 'ExactCapacity',
          metricAggregationType: 'Maximum',
          // Seconds between two reductions. Workers are added without delay.
          cooldown,
          stepAdjustment: [...steps],
        },
        lifecycle: replacedWith(target),
      });
    const work = scale('work', workSteps(maxWorkers), 180);
    const rest = scale(
      'rest',
      [{ metricIntervalLowerBound: '0', scalingAdjustment: minWorkers }],
      // Longer than the alarm lasts after the last worker has stopped.
      300,
    );
    new CloudwatchMetricAlarm(this, 'there-is-work', {
      alarmName: nameOf(stage, 'there-is-work'),
      alarmDescription: 'Not a fault: it starts workers.',
      metricQuery: backlog(queues),
      comparisonOperator: 'GreaterThanOrEqualToThreshold',
      threshold: 1,
      evaluationPeriods: 1,
      treatMissingData: 'notBreaching',
      alarmActions: [work.arn],
    });
    new CloudwatchMetricAlarm(this, 'there-is-no-work', {
      alarmName: nameOf(stage, 'there-is-no-work'),
      alarmDescription: 'Not a fault: it stops workers.',
      metricQuery: idle(queues, { cluster: clusterName, service: service.name }),
      comparisonOperator: 'GreaterThanOrEqualToThreshold',
      threshold: 1,
      evaluationPeriods: 5,
      // A queue that was idle for hours reports late. A worker that somebody started by hand must survive until then.
      treatMissingData: 'notBreaching',
      alarmActions: [rest.arn],
    });
  }
}

/**
 * The number of workers for each backlog, in at most 20 steps: never more than there are messages, and nearly as many.
 * Bounds are relative to the alarm's threshold of one message, so the step from 0 to 1 is a backlog of one.
 */
export function workSteps(
  maxWorkers: number,
): readonly AppautoscalingPolicyStepScalingPolicyConfigurationStepAdjustment[] {
  const workers = [1];
  for (let last = 1, left = MAX_STEPS - 1; last < maxWorkers; left -= 1) {
    // Each step is larger by the same ratio, but by at least one worker.
    last = Math.min(maxWorkers, Math.ceil(last * (maxWorkers / last) ** (1 / left)));
    workers.push(last);
  }
  return workers.map((scalingAdjustment, step) => {
    const next = workers[step + 1];
    return {
      metricIntervalLowerBound: String(scalingAdjustment - 1),
      ...(next === undefined ? {} : { metricIntervalUpperBound: String(next - 1) }),
      scalingAdjustment,
    };
  });
}
