import { DataAwsAvailabilityZones } from '@cdktf/provider-aws/lib/data-aws-availability-zones/index.js';
import { DefaultSecurityGroup } from '@cdktf/provider-aws/lib/default-security-group/index.js';
import { InternetGateway } from '@cdktf/provider-aws/lib/internet-gateway/index.js';
import { RouteTableAssociation } from '@cdktf/provider-aws/lib/route-table-association/index.js';
import { RouteTable } from '@cdktf/provider-aws/lib/route-table/index.js';
import { SecurityGroup } from '@cdktf/provider-aws/lib/security-group/index.js';
import { Subnet } from '@cdktf/provider-aws/lib/subnet/index.js';
import { VpcEndpoint } from '@cdktf/provider-aws/lib/vpc-endpoint/index.js';
import { Vpc } from '@cdktf/provider-aws/lib/vpc/index.js';
import { Fn, Token } from 'cdktf';
import { Construct } from 'constructs';

/**
 * The workers' network: two public subnets that nothing can connect to. There is no NAT gateway, which would cost
 * more than everything else of an idle stage. S3 has a gateway endpoint, which is free.
 */
export class Network extends Construct {
  readonly subnetIds: readonly string[];
  readonly securityGroupId: string;

  constructor(
    scope: Construct,
    id: string,
    props: { readonly name: string; readonly region: string },
  ) {
    super(scope, id);
    const tags = { Name: props.name };
    const vpc = new Vpc(this, 'vpc', {
      cidrBlock: '10.0.0.0/16',
      enableDnsSupport: true,
      enableDnsHostnames: true,
      tags,
    });
    // The default group lets its members connect to each other. Here it allows nothing.
    new DefaultSecurityGroup(this, 'closed', { vpcId: vpc.id, ingress: [], egress: [], tags });
    const gateway = new InternetGateway(this, 'internet', { vpcId: vpc.id, tags });
    const routes = new RouteTable(this, 'routes', {
      vpcId: vpc.id,
      route: [{ cidrBlock: '0.0.0.0/0', gatewayId: gateway.id }],
      tags,
    });
    new VpcEndpoint(this, 's3', {
      vpcId: vpc.id,
      serviceName: `com.amazonaws.${props.region}.s3`,
      vpcEndpointType: 'Gateway',
      routeTableIds: [routes.id],
      tags,
    });
    // The names are looked up, because not every account has zones a and b.
    const zones = new DataAwsAvailabilityZones(this, 'zones', {
      state: 'available',
      filter: [{ name: 'opt-in-status', values: ['opt-in-not-required'] }],
    });
    this.subnetIds = [0, 1].map((index) => {
      const subnet = new Subnet(this, `public-${index}`, {
        vpcId: vpc.id,
        cidrBlock: `10.0.${index}.0/24`,
        availabilityZone: Token.asString(Fn.element(zones.names, index)),
        tags,
        // A zone that AWS adds must not move existing subnets.
        lifecycle: { ignoreChanges: ['availability_zone'] },
      });
      new RouteTableAssociation(this, `public-${index}-routes`, {
        subnetId: subnet.id,
        routeTableId: routes.id,
      });
      return subnet.id;
    });
    this.securityGroupId = new SecurityGroup(this, 'workers', {
      name: props.name,
      description: 'Workers call AWS by HTTPS, and nobody calls them',
      vpcId: vpc.id,
      ingress: [],
      egress: [{ protocol: 'tcp', fromPort: 443, toPort: 443, cidrBlocks: ['0.0.0.0/0'] }],
      tags,
    }).id;
  }
}
