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
const MOST_STEPS = 20;

/**
 * One worker for each message that waits or is worked on, up to the most; and the least again when
 * workers had nothing to do for five minutes. The number of workers follows from the backlog alone, not
 * from how many there are, so that it works from none. A worker that is stopped while it works gives
 * its unit back at once.
 *
 * CloudWatch invokes a scaling policy each minute for as long as the alarm lasts, not only when it begins. So an
 * alarm for rest must not outlast the workers: it would stop the one that an upload starts before SQS has reported
 * the upload. https://repost.aws/knowledge-center/autoscaling-policy-cloudwatch-alarm
 */
export class Scaling extends Construct {
  constructor(scope: Construct, id: string, props: ScalingProps) {
    super(scope, id);
    const { stage, clusterName, service, queues, minWorkers, maxWorkers } = props;
    // With a service AWS drops its scalable target, and with a target its policies. A service that is made anew
    // has the name of the one before, so that Terraform would notice nothing.
    const madeAnewWith = (resource: TerraformResource) => ({
      replaceTriggeredBy: [`${resource.terraformResourceType}.${resource.friendlyUniqueId}.id`],
    });
    const target = new AppautoscalingTarget(this, 'workers', {
      serviceNamespace: 'ecs',
      scalableDimension: 'ecs:service:DesiredCount',
      resourceId: `service/${clusterName}/${service.name}`,
      minCapacity: minWorkers,
      maxCapacity: maxWorkers,
      lifecycle: madeAnewWith(service),
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
          // Seconds after fewer workers until still fewer; more come at once.
          cooldown,
          stepAdjustment: [...steps],
        },
        lifecycle: madeAnewWith(target),
      });
    const work = scale('work', workSteps(maxWorkers), 180);
    const rest = scale(
      'rest',
      [{ metricIntervalLowerBound: '0', scalingAdjustment: minWorkers }],
      // Longer than the alarm lasts after the last worker.
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
      // A queue that was idle for hours reports late: until then a worker that somebody started stays.
      treatMissingData: 'notBreaching',
      alarmActions: [rest.arn],
    });
  }
}

/**
 * Workers by backlog, in at most 20 steps: never more than there are messages, and nearly as many. Bounds are
 * relative to the alarm's threshold, one message: the step from 0 to 1 is a backlog of one.
 */
export function workSteps(
  maxWorkers: number,
): readonly AppautoscalingPolicyStepScalingPolicyConfigurationStepAdjustment[] {
  const workers = [1];
  for (let last = 1, left = MOST_STEPS - 1; last < maxWorkers; left -= 1) {
    // Each step is larger by the same ratio, where that is at least one worker more.
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
