import { IamRole } from '@cdktf/provider-aws/lib/iam-role/index.js';
import { IamRolePolicy } from '@cdktf/provider-aws/lib/iam-role-policy/index.js';
import { Construct } from 'constructs';
import { nameOf, RESOURCES } from './names.ts';
import { policy, trust } from './policy.ts';
import type { Statement } from './policy.ts';

interface RolesProps {
  readonly stage: string;
  readonly region: string;
  readonly account: string;
  readonly sourceBucketArn: string;
  readonly workBucketArn: string;
  readonly deliveryBucketArn: string;
  readonly jobsArn: string;
  readonly unitsArn: string;
  readonly deadLettersArn: string;
  readonly eventsArn: string;
  readonly repositoryArn: string;
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
    const { stage, region, account } = props;
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
    const task = role('task', taskRights(props));
    const execution = role('execution', executionRights(props));
    this.taskArn = task.arn;
    this.executionArn = execution.arn;
    this.policies = [task.rights, execution.rights];
  }
}

function taskRights(props: RolesProps): readonly Statement[] {
  const { sourceBucketArn, workBucketArn, deliveryBucketArn } = props;
  return [
    allow('ReadSources', ['s3:GetObject'], `${sourceBucketArn}/*`),
    // It deletes the results of a job that begins again, and documents of an asset that is deleted meanwhile.
    allow(
      'KeepJobs',
      ['s3:GetObject', 's3:PutObject', 's3:DeleteObject'],
      `${workBucketArn}/jobs/*`,
    ),
    // Titles, and notes about unused versions: core/catalog/garbage.ts.
    allow(
      'KeepNotes',
      ['s3:GetObject', 's3:PutObject', 's3:DeleteObject'],
      `${workBucketArn}/titles/*`,
      `${workBucketArn}/unnamed/*`,
    ),
    allow('SeeDeletions', ['s3:GetObject', 's3:DeleteObject'], `${workBucketArn}/deleted/*`),
    allow(
      'Publish',
      ['s3:GetObject', 's3:PutObject', 's3:DeleteObject', 's3:AbortMultipartUpload'],
      `${deliveryBucketArn}/v/*`,
    ),
    // With this right, S3 answers 404 for a missing object instead of 403.
    allow('List', ['s3:ListBucket'], sourceBucketArn, workBucketArn, deliveryBucketArn),
    allow(
      'TakeAndSplitJobs',
      [
        'sqs:ReceiveMessage',
        'sqs:ChangeMessageVisibility',
        'sqs:DeleteMessage',
        'sqs:SendMessage',
        'sqs:GetQueueAttributes',
      ],
      props.jobsArn,
      props.unitsArn,
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
      props.deadLettersArn,
    ),
    // The ECS agent calls this with the task's role.
    allow(
      'StayWhileAtWork',
      ['ecs:UpdateTaskProtection'],
      `arn:aws:ecs:${props.region}:${props.account}:task/${nameOf(props.stage, RESOURCES.workers)}/*`,
    ),
    allow('GiveUpAndTell', ['sqs:SendMessage'], props.deadLettersArn, props.eventsArn),
  ];
}

function executionRights({ repositoryArn, logGroupArn }: RolesProps): readonly Statement[] {
  return [
    // The only action here that does not support resources.
    allow('SignInToTheRegistry', ['ecr:GetAuthorizationToken'], '*'),
    allow(
      'PullTheImage',
      ['ecr:BatchCheckLayerAvailability', 'ecr:GetDownloadUrlForLayer', 'ecr:BatchGetImage'],
      repositoryArn,
    ),
    allow('WriteLogs', ['logs:CreateLogStream', 'logs:PutLogEvents'], `${logGroupArn}:*`),
  ];
}

function allow(Sid: string, Action: readonly string[], ...Resource: readonly string[]): Statement {
  return { Sid, Effect: 'Allow', Action, Resource };
}
