"""AWS on loopback for the deploy test: moto's server, and what this project needs that moto lacks.

    python3 emulator.py        prints {"port": N} when it listens, and ends with its standard input
    curl localhost:N/everything        tells what exists, tagged or not

Each addition below says what goes wrong without it. Nothing here checks what AWS would check:
CloudFront answers with what it was given, so a plan without differences says there that order and
shapes are right, and no more.
"""

import base64
import json
import os
import re
import sys
import threading
import xml.etree.ElementTree as xml
from datetime import datetime, timezone

from flask import has_request_context, request
from moto.applicationautoscaling.models import applicationautoscaling_backends
from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse
from moto.budgets.models import budgets_backends
from moto.budgets.responses import BudgetsResponse
from moto.cloudwatch.models import cloudwatch_backends
from moto.core.utils import camelcase_to_underscores
from moto.ec2.models import ec2_backends
from moto.ecr.models import ecr_backends
from moto.ecs.models import ecs_backends
from moto.ecs.responses import EC2ContainerServiceResponse
from moto.events.models import events_backends
from moto.iam.access_control import PermissionResult
from moto.iam.models import iam_backends
from moto.logs.models import logs_backends
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.resourcegroupstaggingapi.models import ResourceGroupsTaggingAPIBackend
from moto.s3.models import FakeBucket, FakeDeleteMarker, s3_backends
from moto.s3.responses import S3Response
from moto.sns.models import sns_backends
from moto.sqs.models import Queue, sqs_backends
from moto.ssm.models import ssm_backends
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

ACCOUNT = "123456789012"


# --- SQS ---------------------------------------------------------------------------------------


def keep_queue_attributes():
    """Policies of a queue stay as they were written, and until they are written again.

    moto forgets Policy when any other attribute is set, reorders RedrivePolicy, which Terraform
    then wants to write back at each plan, and does not know RedriveAllowPolicy, for which the
    provider waits until its time is up.
    """
    names = ("Policy", "RedrivePolicy", "RedriveAllowPolicy")
    Queue.BASE_ATTRIBUTES = [*Queue.BASE_ATTRIBUTES, "RedriveAllowPolicy"]
    Queue.redrive_allow_policy = None
    set_attributes, attributes = Queue._set_attributes, Queue.attributes.fget

    def set_and_keep(queue, given, now=None):
        kept = getattr(queue, "kept", {})
        queue.kept = {**kept, **{name: given[name] for name in names if name in given}}
        set_attributes(queue, {**kept, **given}, now)

    def all_attributes(queue):
        kept = {name: text for name, text in getattr(queue, "kept", {}).items() if text}
        rest = {name: value for name, value in attributes(queue).items() if name not in names}
        return {**rest, **kept}

    Queue._set_attributes = set_and_keep
    Queue.attributes = property(all_attributes)


# --- S3 ----------------------------------------------------------------------------------------


def ask_bucket_policies_properly():
    """A bucket's policy opens it to whom it names, and under its condition.

    moto ignores both: a policy for the CDN alone would open the bucket to everybody.
    """
    get_permission = FakeBucket.get_permission

    def permission(bucket, action, resource):
        if bucket.policy is None:
            return PermissionResult.NEUTRAL
        # A HEAD is allowed by the right to GET.
        action = "s3:GetObject" if action == "s3:HeadObject" else action
        policy = json.loads(bucket.policy)
        policy["Statement"] = [one for one in policy["Statement"] if concerns(one)]
        if not policy["Statement"]:
            return PermissionResult.NEUTRAL
        asked = FakeBucket.__new__(FakeBucket)
        asked.policy = json.dumps(policy).encode()
        return get_permission(asked, action, resource)

    def concerns(statement):
        """Whether it is for the public, and the request knows the referer that it demands."""
        condition = statement.pop("Condition", {})
        # Loopback stands for a connection by TLS.
        if "aws:SecureTransport" in condition.get("Bool", {}):
            return False
        demanded = condition.get("StringEquals", {}).get("aws:Referer")
        referer = request.headers.get("Referer") if has_request_context() else None
        allowed = demanded if isinstance(demanded, list) else [demanded]
        return statement["Principal"] == "*" and (demanded is None or referer in allowed)

    FakeBucket.get_permission = permission


def write_one_at_a_time():
    """Of several who write under a condition at once, one succeeds.

    moto answers each request in a thread of its own, and looks at the condition well before it writes.
    """
    lock = threading.RLock()
    for name in ("put_object", "_key_response_post"):
        setattr(S3Response, name, locked(lock, getattr(S3Response, name)))


def locked(lock, write):
    def one_at_a_time(*arguments, **named):
        with lock:
            return write(*arguments, **named)

    return one_at_a_time


def forget_delete_markers():
    """The last version of a deleted object can be deleted, as teardown does; moto answers 500."""
    FakeDeleteMarker.dispose = lambda marker: None


class BucketMetrics:
    """What is to be counted of a bucket's requests; moto takes the question for another one."""

    def __init__(self, application):
        self.application = application
        self.kept = {}

    def __call__(self, environ, start_response):
        asked = Request(environ)
        if "metrics" not in asked.args:
            return self.application(environ, start_response)
        return self.answer(asked)(environ, start_response)

    def answer(self, asked):
        key = (asked.path, asked.args["id"])
        if asked.method == "PUT":
            self.kept[key] = asked.get_data()
            return Response()
        if key not in self.kept:
            return Response("<Error><Code>NoSuchConfiguration</Code></Error>", 404)
        if asked.method == "DELETE":
            del self.kept[key]
            return Response(status=204)
        return Response(self.kept[key], mimetype="text/xml")


# --- ECS ---------------------------------------------------------------------------------------


def keep_service_settings():
    """A service tells of its settings as they were given.

    moto drops these, and Terraform would make the service anew at each plan.
    """
    names = ("capacityProviderStrategy", "deploymentConfiguration", "enableECSManagedTags")

    def keeping(call):
        def kept(response):
            result = call(response)
            service = result.result["service"]
            service.availability_zone_rebalancing = "DISABLED"
            for name in names:
                value = response._get_param(name)
                if value is not None:
                    setattr(service, camelcase_to_underscores(name), value)
            return result

        return kept

    for name in ("create_service", "update_service"):
        call = getattr(EC2ContainerServiceResponse, name)
        setattr(EC2ContainerServiceResponse, name, keeping(call))


# --- Application Auto Scaling ------------------------------------------------------------------


def keep_target_tags():
    """A scalable target has tags; moto answers 500 to the question for them."""
    tags = {}
    register = ApplicationAutoScalingResponse.register_scalable_target

    def register_with_tags(response):
        answer = register(response)
        given = response._get_param("Tags")
        if given:
            tags[json.loads(answer)["ScalableTargetARN"]] = given
        return answer

    def list_tags(response):
        return json.dumps({"Tags": tags.get(response._get_param("ResourceARN"), {})})

    ApplicationAutoScalingResponse.register_scalable_target = register_with_tags
    ApplicationAutoScalingResponse.list_tags_for_resource = list_tags


# --- Budgets -----------------------------------------------------------------------------------


def tell_of_subscribers():
    """A budget tells who is warned, and has tags; moto answers 500 to both questions, at each plan."""
    tags = {}
    create = BudgetsResponse.create_budget

    def create_with_tags(response):
        name = response._get_param("Budget")["BudgetName"]
        tags[f"arn:aws:budgets::{ACCOUNT}:budget/{name}"] = response._get_param("ResourceTags") or []
        return create(response)

    def list_tags(response):
        return json.dumps({"ResourceTags": tags.get(response._get_param("ResourceARN"), [])})

    def subscribers(response):
        budget = response.backend.budgets[ACCOUNT][response._get_param("BudgetName")]
        asked = response._get_param("Notification")
        known = [one for one in budget.notifications if same(one.details, asked)]
        return json.dumps({"Subscribers": [who for one in known for who in one.subscribers]})

    def same(one, other):
        names = ("NotificationType", "ComparisonOperator", "Threshold")
        return all(one[name] == other[name] for name in names)

    BudgetsResponse.create_budget = create_with_tags
    BudgetsResponse.list_tags_for_resource = list_tags
    BudgetsResponse.describe_subscribers_for_notification = subscribers


# --- Tags --------------------------------------------------------------------------------------


def tell_of_more_tags(cloudfront):
    """What is found by its tags: moto leaves out repositories and endpoints, and knows no CloudFront."""
    known = ResourceGroupsTaggingAPIBackend._get_resources_generator

    def found(backend, tag_filters=None, resource_type_filters=None):
        yield from known(backend, tag_filters, resource_type_filters)
        for arn, tags in more(backend):
            wanted = ((one["Key"], one.get("Values")) for one in tag_filters or [])
            if all(key in tags and (not values or tags[key] in values) for key, values in wanted):
                listed = [{"Key": key, "Value": value} for key, value in tags.items()]
                yield {"ResourceARN": arn, "Tags": listed}

    def more(backend):
        account, region = backend.account_id, backend.region_name
        ecr = ecr_backends[account][region]
        for repository in ecr.repositories.values():
            yield repository.arn, ecr.tagger.get_tag_dict_for_resource(repository.arn)
        ec2 = ec2_backends[account][region]
        for name in endpoints(ec2):
            yield f"arn:aws:ec2:{region}:{account}:vpc-endpoint/{name}", ec2.tags.get(name, {})
        if region == "us-east-1":
            for arn, tags in cloudfront.tags.items():
                yield arn, {tag.find("Key").text: tag.find("Value").text for tag in tags.iter("Tag")}

    ResourceGroupsTaggingAPIBackend._get_resources_generator = found


def endpoints(ec2):
    """moto goes on telling of those that were deleted."""
    return [name for name, one in ec2.vpc_end_points.items() if one.state != "deleted"]


def everything(cloudfront):
    """Names of all that exists, by kind, whatever its tags: what a stage takes away, it is not in here."""
    regions = ("eu-central-1", "us-east-1")
    here = {
        "buckets": s3_backends[ACCOUNT]["aws"].buckets,
        "roles": iam_backends[ACCOUNT]["aws"].roles,
        "budgets": budgets_backends[ACCOUNT]["aws"].budgets[ACCOUNT],
        "cloudfront": [str(name) for name in cloudfront.things],
    }
    for region in regions:
        ec2 = ec2_backends[ACCOUNT][region]
        ecs = ecs_backends[ACCOUNT][region]
        logs = logs_backends[ACCOUNT][region]
        scaling = applicationautoscaling_backends[ACCOUNT][region]
        cloudwatch = cloudwatch_backends[ACCOUNT][region]
        for kind, names in {
            "queues": sqs_backends[ACCOUNT][region].queues,
            "topics": sns_backends[ACCOUNT][region].topics,
            "repositories": ecr_backends[ACCOUNT][region].repositories,
            "services": [n for n, one in ecs.services.items() if one.status == "ACTIVE"],
            "clusters": [n for n, one in ecs.clusters.items() if one.status == "ACTIVE"],
            "log groups": logs.groups,
            "log deliveries": logs.deliveries,
            "alarms": cloudwatch.alarms,
            "dashboards": cloudwatch.dashboards,
            "networks": [n for n, one in ec2.vpcs.items() if not one.is_default],
            "endpoints": endpoints(ec2),
            "gateways": ec2.internet_gateways,
            "rules": events_backends[ACCOUNT][region].event_buses["default"].rules,
            "scaling": [name for one in scaling.targets.values() for name in one],
            # AWS's own are among them.
            "parameters": [n for n in ssm_backends[ACCOUNT][region]._parameters if "vodstack" in n],
        }.items():
            here[kind] = [*here.get(kind, []), *names]
    return {kind: sorted(names) for kind, names in here.items() if names}


# --- CloudFront --------------------------------------------------------------------------------


class CloudFront:
    """The whole of it: moto lacks functions and policies, and drops half of a distribution.

    Everything is kept and told of as it was given. A distribution is deployed at once.
    https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_Operations.html
    """

    ROOT = "/2020-05-31/"
    NAMESPACE = "http://cloudfront.amazonaws.com/doc/2020-05-31/"

    def __init__(self, application):
        self.application = application
        self.things = {}
        self.tags = {}
        self.invalidations = {}
        self.count = 0

    def __call__(self, environ, start_response):
        if environ["PATH_INFO"] == "/everything":
            return Response(json.dumps(everything(self)))(environ, start_response)
        if not environ["PATH_INFO"].startswith(self.ROOT):
            return self.application(environ, start_response)
        asked = Request(environ)
        kind, *rest = asked.path.removeprefix(self.ROOT).strip("/").split("/")
        if asked.method == "GET" and not rest and kind != "tagging":
            return self.list(kind)(environ, start_response)
        answer = {"tagging": self.tagging, "function": self.function}.get(kind, self.thing)
        return answer(asked, kind, rest)(environ, start_response)

    def list(self, kind):
        """All of a kind, in one page."""
        tag = "".join(word.capitalize() for word in kind.split("-"))
        around = xml.Element(f"{tag}List", xmlns=self.NAMESPACE)
        items = xml.Element("Items")
        for thing_id, document in self.things.items():
            if document.tag == "CreateFunctionRequest" and tag == "Function":
                items.append(self.summary_of_function(*thing_id))
            if document.tag != f"{tag}Config":
                continue
            summary = xml.SubElement(items, f"{tag}Summary")
            if kind == "origin-access-control":
                xml.SubElement(summary, "Id").text = thing_id
                summary.extend(document)
            else:
                xml.SubElement(summary, "Type").text = "custom"
                summary = xml.SubElement(summary, tag)
                xml.SubElement(summary, "Id").text = thing_id
                summary.append(document)
        xml.SubElement(around, "MaxItems").text = "100"
        xml.SubElement(around, "IsTruncated").text = "false"
        xml.SubElement(around, "Quantity").text = str(len(items))
        around.append(items)
        return self.answer(around, 200)

    def thing(self, asked, kind, rest):
        """A distribution, a policy or an access control: an id around a document."""
        if rest[1:2] == ["invalidation"]:
            return self.invalidation(asked, *rest)
        if asked.method == "POST":
            document = self.read(asked)
            if document.tag == "DistributionConfigWithTags":
                given = document.find("Tags")
                document = document.find("DistributionConfig")
            else:
                given = None
            thing_id = self.new_id()
            self.things[thing_id] = document
            if given is not None:
                self.tags[self.arn(kind, thing_id)] = given
            return self.tell(kind, thing_id, 201)
        thing_id = rest[0]
        if thing_id not in self.things:
            return self.missing(kind)
        if asked.method == "DELETE":
            del self.things[thing_id]
            self.tags.pop(self.arn(kind, thing_id), None)
            return Response(status=204)
        if asked.method == "PUT":
            self.things[thing_id] = self.read(asked)
        return self.tell(kind, thing_id, 200)

    def invalidation(self, asked, distribution, kind, invalidation_id=None):
        """Nothing is cached here: an invalidation is kept to be told of."""
        if distribution not in self.things:
            return self.missing("distribution")
        known = self.invalidations.setdefault(distribution, [])
        if asked.method == "POST":
            one = xml.Element("Invalidation", xmlns=self.NAMESPACE)
            xml.SubElement(one, "Id").text = self.new_id()
            xml.SubElement(one, "Status").text = "Completed"
            xml.SubElement(one, "CreateTime").text = now()
            one.append(self.read(asked))
            known.append(one)
            return self.answer(one, 201)
        if invalidation_id is not None:
            found = [one for one in known if one.find("Id").text == invalidation_id]
            return self.answer(found[0], 200) if found else self.missing(kind)
        around = xml.Element("InvalidationList", xmlns=self.NAMESPACE)
        xml.SubElement(around, "Quantity").text = str(len(known))
        items = xml.SubElement(around, "Items")
        for one in known:
            summary = xml.SubElement(items, "InvalidationSummary")
            for name in ("Id", "Status", "CreateTime"):
                xml.SubElement(summary, name).text = one.find(name).text
        return self.answer(around, 200)

    def tell(self, kind, thing_id, status):
        document = self.things[thing_id]
        # The provider ends in a panic without it.
        if kind == "distribution" and document.find("OriginGroups") is None:
            xml.SubElement(xml.SubElement(document, "OriginGroups"), "Quantity").text = "0"
        around = xml.Element(document.tag.removesuffix("Config"), xmlns=self.NAMESPACE)
        for name, value in {
            "Id": thing_id,
            "ARN": self.arn(kind, thing_id),
            "Status": "Deployed",
            "DomainName": f"{thing_id.lower()}.cloudfront.net",
            "InProgressInvalidationBatches": "0",
            "LastModifiedTime": now(),
        }.items():
            xml.SubElement(around, name).text = value
        around.append(document)
        return self.answer(around, status)

    def function(self, asked, kind, rest):
        """A function: its code apart from what is said of it."""
        if asked.method == "POST" and not rest:
            document = self.read(asked)
            name = document.find("Name").text
            self.things[kind, name] = document
            return self.tell_of_function(kind, name, 201)
        name = rest[0]
        if (kind, name) not in self.things:
            return self.missing(kind)
        if rest[1:] == ["test"]:
            # There is no engine here that could run it.
            return self.refused("UnsupportedOperation", 400)
        if asked.method == "DELETE":
            del self.things[kind, name]
            return Response(status=204)
        if asked.method == "PUT":
            self.things[kind, name] = self.read(asked)
        if asked.method == "GET" and rest[1:] != ["describe"]:
            code = base64.b64decode(self.things[kind, name].find("FunctionCode").text)
            return Response(code, headers={"ETag": "E1"}, mimetype="application/octet-stream")
        return self.tell_of_function(kind, name, 200)

    def tell_of_function(self, kind, name, status):
        return self.answer(self.summary_of_function(kind, name), status)

    def summary_of_function(self, kind, name):
        summary = xml.Element("FunctionSummary", xmlns=self.NAMESPACE)
        xml.SubElement(summary, "Name").text = name
        xml.SubElement(summary, "Status").text = "DEPLOYED"
        summary.append(self.things[kind, name].find("FunctionConfig"))
        metadata = xml.SubElement(summary, "FunctionMetadata")
        xml.SubElement(metadata, "FunctionARN").text = self.arn(kind, name)
        xml.SubElement(metadata, "Stage").text = "LIVE"
        xml.SubElement(metadata, "LastModifiedTime").text = now()
        return summary

    def tagging(self, asked, kind, rest):
        arn = asked.args["Resource"]
        if asked.method == "POST":
            if asked.args["Operation"] == "Tag":
                self.tags[arn] = self.read(asked)
            return Response(status=204)
        tags = self.tags.get(arn)
        if tags is None:
            tags = xml.Element("Tags")
        around = xml.fromstring(xml.tostring(tags))
        around.set("xmlns", self.NAMESPACE)
        return self.answer(around, 200)

    def new_id(self):
        self.count += 1
        return f"E{self.count:013}"

    @staticmethod
    def arn(kind, thing_id):
        return f"arn:aws:cloudfront::{ACCOUNT}:{kind}/{thing_id}"

    @staticmethod
    def read(asked):
        return xml.fromstring(re.sub(rb' xmlns="[^"]*"', b"", asked.get_data()))

    @staticmethod
    def answer(document, status):
        headers = {"ETag": "E1"}
        return Response(xml.tostring(document), status, headers, mimetype="text/xml")

    def missing(self, kind):
        code = "NoSuch" + "".join(word.capitalize() for word in kind.split("-"))
        # What the API calls a function and a policy in its errors.
        return self.refused({"NoSuchFunction": "NoSuchFunctionExists"}.get(code, code), 404)

    def refused(self, code, status):
        error = xml.Element("ErrorResponse", xmlns=self.NAMESPACE)
        inner = xml.SubElement(error, "Error")
        xml.SubElement(inner, "Type").text = "Sender"
        xml.SubElement(inner, "Code").text = code
        return self.answer(error, status)


def now():
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def main():
    keep_queue_attributes()
    ask_bucket_policies_properly()
    write_one_at_a_time()
    forget_delete_markers()
    keep_service_settings()
    keep_target_tags()
    tell_of_subscribers()
    application = CloudFront(BucketMetrics(DomainDispatcherApplication(create_backend_app)))
    tell_of_more_tags(application)
    server = make_server("127.0.0.1", 0, application, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(json.dumps({"port": server.port}), flush=True)
    # Whoever started it has ended when there is nobody to write.
    sys.stdin.read()
    os._exit(0)


main()
