import { AppautoscalingPolicy } from '@cdktf/provider-aws/lib/appautoscaling-policy/index.js';
import type { AppautoscalingPolicyStepScalingPolicyConfigurationStepAdjustment } from '@cdktf/provider-aws/lib/appautoscaling-policy/index.js';
import { AppautoscalingTarget } from '@cdktf/provider-aws/lib/appautoscaling-target/index.js';
import { CloudwatchMetricAlarm } from '@cdktf/provider-aws/lib/cloudwatch-metric-alarm/index.js';
import type { EcsService } from '@cdktf/provider-aws/lib/ecs-service/index.js';
import type { TerraformResource } from 'cdktf';
import { Construct } from 'constructs';
import { backlog } from './metrics.ts';
import { nameOf } from './names.ts';

interface ScalingProps {
  readonly stage: string;
  readonly clusterName: string;
  readonly service: EcsService;
  readonly jobQueueName: string;
  readonly minWorkers: number;
  readonly maxWorkers: number;
}

/** https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-limits.html */
const MOST_STEPS = 20;

/**
 * One worker for each unit that waits or is worked on, up to the most; and the least again when
 * nothing has been there for five minutes. The number of workers follows from the backlog alone, not
 * from how many there are, so that it works from none. A worker that is stopped while it works gives
 * its unit back at once.
 */
export class Scaling extends Construct {
  constructor(scope: Construct, id: string, props: ScalingProps) {
    super(scope, id);
    const { stage, clusterName, service, jobQueueName, minWorkers, maxWorkers } = props;
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
      [{ metricIntervalUpperBound: '0', scalingAdjustment: minWorkers }],
      60,
    );
    const metricQuery = backlog(jobQueueName);
    new CloudwatchMetricAlarm(this, 'there-is-work', {
      alarmName: nameOf(stage, 'there-is-work'),
      alarmDescription: 'Not a fault: it starts workers.',
      metricQuery,
      comparisonOperator: 'GreaterThanOrEqualToThreshold',
      threshold: 1,
      evaluationPeriods: 1,
      treatMissingData: 'notBreaching',
      alarmActions: [work.arn],
    });
    new CloudwatchMetricAlarm(this, 'there-is-no-work', {
      alarmName: nameOf(stage, 'there-is-no-work'),
      alarmDescription: 'Not a fault: it stops workers.',
      metricQuery,
      comparisonOperator: 'LessThanThreshold',
      threshold: 1,
      evaluationPeriods: 5,
      // A queue that was idle for hours reports late: until then a worker that somebody started stays.
      treatMissingData: 'missing',
      alarmActions: [rest.arn],
    });
  }
}

/**
 * Workers by backlog: as many as units, in at most 20 steps. Bounds are relative to the alarm's
 * threshold, one unit: the step from 0 to 1 is a backlog of one.
 */
export function workSteps(
  maxWorkers: number,
): readonly AppautoscalingPolicyStepScalingPolicyConfigurationStepAdjustment[] {
  const width = Math.ceil(maxWorkers / MOST_STEPS);
  const steps = Math.ceil(maxWorkers / width);
  return Array.from({ length: steps }, (_, step) => ({
    metricIntervalLowerBound: String(step * width),
    ...(step + 1 < steps ? { metricIntervalUpperBound: String((step + 1) * width) } : {}),
    scalingAdjustment: Math.min((step + 1) * width, maxWorkers),
  }));
}
