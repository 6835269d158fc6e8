import { IamRolePolicy } from '@cdktf/provider-aws/lib/iam-role-policy/index.js';
import { IamRole } from '@cdktf/provider-aws/lib/iam-role/index.js';
import { Construct } from 'constructs';
import { nameOf, RESOURCES } from './names.ts';
import { accountOf, policy, trust } from './policy.ts';
import type { Statement } from './policy.ts';
import type { QueuesStack } from './queues.ts';
import type { StorageStack } from './storage.ts';

interface RolesProps {
  readonly stage: string;
  readonly region: string;
  readonly storage: StorageStack;
  readonly queues: QueuesStack;
  readonly logGroupArn: string;
}

/** The IAM roles of a worker, and of ECS when it starts one. */
export class Roles extends Construct {
  readonly taskArn: string;
  readonly executionArn: string;
  /** Tasks must not start before these exist. */
  readonly policies: readonly IamRolePolicy[];

  constructor(scope: Construct, id: string, props: RolesProps) {
    super(scope, id);
    const { stage, region } = props;
    const account = accountOf(props.queues.jobs.arn);
    const tasks = `arn:aws:ecs:${region}:${account}:*`;
    const role = (name: string, statements: readonly Statement[]) => {
      const made = new IamRole(this, name, {
        name: nameOf(stage, name),
        assumeRolePolicy: trust('ecs-tasks.amazonaws.com', tasks, account),
      });
      const rights = new IamRolePolicy(this, `${name}-rights`, {
        name: nameOf(stage, name),
        role: made.name,
        policy: policy(...statements),
      });
      return { arn: made.arn, rights };
    };
    const task = role('task', taskRights(props, account));
    const execution = role('execution', executionRights(props));
    this.taskArn = task.arn;
    this.executionArn = execution.arn;
    this.policies = [task.rights, execution.rights];
  }
}

function taskRights(
  { stage, region, storage, queues }: RolesProps,
  account: string,
): readonly Statement[] {
  const { sourceBucket, workBucket, deliveryBucket } = storage;
  const { jobs, units, deadLetters, events } = queues;
  return [
    allow('ReadSources', ['s3:GetObject'], `${sourceBucket.arn}/*`),
    // It deletes the results of a job that begins again, and documents of an asset that is deleted meanwhile.
    allow(
      'KeepJobs',
      ['s3:GetObject', 's3:PutObject', 's3:DeleteObject'],
      `${workBucket.arn}/jobs/*`,
    ),
    // Titles, and notes about unused versions: core/catalog/garbage.ts.
    allow(
      'KeepNotes',
      ['s3:GetObject', 's3:PutObject', 's3:DeleteObject'],
      `${workBucket.arn}/titles/*`,
      `${workBucket.arn}/unnamed/*`,
    ),
    allow('SeeDeletions', ['s3:GetObject', 's3:DeleteObject'], `${workBucket.arn}/deleted/*`),
    allow(
      'Publish',
      ['s3:GetObject', 's3:PutObject', 's3:DeleteObject', 's3:AbortMultipartUpload'],
      `${deliveryBucket.arn}/v/*`,
    ),
    // With this right, S3 answers 404 for a missing object instead of 403.
    allow('List', ['s3:ListBucket'], sourceBucket.arn, workBucket.arn, deliveryBucket.arn),
    allow(
      'TakeAndSplitJobs',
      [
        'sqs:ReceiveMessage',
        'sqs:ChangeMessageVisibility',
        'sqs:DeleteMessage',
        'sqs:SendMessage',
        'sqs:GetQueueAttributes',
      ],
      jobs.arn,
      units.arn,
    ),
    // An idle worker reports the messages that the queue itself has moved there.
    allow(
      'LookAtDeadLetters',
      [
        'sqs:ReceiveMessage',
        'sqs:ChangeMessageVisibility',
        'sqs:DeleteMessage',
        'sqs:GetQueueAttributes',
      ],
      deadLetters.arn,
    ),
    // The ECS agent calls this with the task's role.
    allow(
      'StayWhileAtWork',
      ['ecs:UpdateTaskProtection'],
      `arn:aws:ecs:${region}:${account}:task/${nameOf(stage, RESOURCES.workers)}/*`,
    ),
    allow('GiveUpAndTell', ['sqs:SendMessage'], deadLetters.arn, events.arn),
  ];
}

function executionRights({ storage, logGroupArn }: RolesProps): readonly Statement[] {
  return [
    // The only action here that does not support resources.
    allow('SignInToTheRegistry', ['ecr:GetAuthorizationToken'], '*'),
    allow(
      'PullTheImage',
      ['ecr:BatchCheckLayerAvailability', 'ecr:GetDownloadUrlForLayer', 'ecr:BatchGetImage'],
      storage.repository.arn,
    ),
    allow('WriteLogs', ['logs:CreateLogStream', 'logs:PutLogEvents'], `${logGroupArn}:*`),
  ];
}

function allow(Sid: string, Action: readonly string[], ...Resource: readonly string[]): Statement {
  return { Sid, Effect: 'Allow', Action, Resource };
}
