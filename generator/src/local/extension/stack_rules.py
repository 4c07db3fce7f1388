"""What CloudFormation refuses on AWS and ministack lets pass, and how custom resources fail."""

from ministack.core.responses import new_uuid
from ministack.services import lambda_svc, s3
from ministack.services.cloudformation import custom_resource, provisioners, stacks

from patching import wrap
from rotation import failure_in

answered_failed = {}  # (stack id, logical id) -> physical id that a FAILED answer named
failed_creates = {}  # (stack id, logical id) -> resource that the rollback has to delete


def delete_bucket(original):
    """A bucket that holds anything stays, and so the stack's deletion fails."""

    def delete(physical_id, props):
        if physical_id in s3._buckets:
            status, _, body = s3._delete_bucket(physical_id)
            if status == 409:
                reason = "The bucket you tried to delete is not empty"
                raise ValueError(f"{reason} (Service: S3, Status Code: 409, Bucket: {physical_id})")
            if status >= 400:
                raise ValueError(f"The bucket {physical_id} could not be deleted: {body!r}")
        original(physical_id, props)

    return delete


def require_code(original):
    """A function whose zip is not in its bucket is refused; ministack answers with a mock instead."""

    def create(logical_id, props, stack_name):
        code = props.get("Code", {})
        bucket, key = code.get("S3Bucket"), code.get("S3Key")
        if bucket and key:
            version = code.get("S3ObjectVersion")
            if lambda_svc._fetch_code_from_s3(bucket, key, version_id=version) is None:
                what = "NoSuchBucket" if bucket not in s3._buckets else "NoSuchKey"
                raise ValueError(
                    "Error occurred while GetObject. S3 Error Code: "
                    f"{what}. S3 Error Message: no object at s3://{bucket}/{key} (Service: Lambda)")
        return original(logical_id, props, stack_name)

    return create


def require_digest(original):
    """A version is published only if its `CodeSha256` is that of the function's code."""

    def create(logical_id, props, stack_name):
        wanted = props.get("CodeSha256")
        function, _ = provisioners._lambda_version_function(props)
        if wanted and function and function["config"]["CodeSha256"] != wanted:
            raise ValueError(
                f"CodeSHA256 ({wanted}) is different from current CodeSHA256 in $LATEST "
                f"({function['config']['CodeSha256']}). Please try again with the CodeSHA256 in $LATEST.")
        return original(logical_id, props, stack_name)

    return create


def fail_at_once(original):
    """A custom resource whose function crashed fails now: no answer can come any more.

    AWS, and ministack, wait for the resource's `ServiceTimeout`, an hour by default.
    """

    def execute(record, event):
        result = original(record, event)
        url = event.get("ResponseURL") if isinstance(event, dict) else None
        reason = failure_in(result) if url and isinstance(result, dict) else None
        if reason is not None:
            token = url.rpartition("/")[2]
            waiting = custom_resource._pending.get(token)
            if waiting and not waiting["event"].is_set():
                answer = f"The function failed before it answered: {reason}"
                custom_resource.deliver_response(token, {"Status": "FAILED", "Reason": answer})
        return result

    return execute


def note_failed_answer(original):
    """Remembers which physical id a failed custom resource named."""

    def deliver(token, response):
        if response.get("Status") == "FAILED" and response.get("PhysicalResourceId"):
            key = (response.get("StackId"), response.get("LogicalResourceId"))
            answered_failed[key] = response["PhysicalResourceId"]
        return original(token, response)

    return deliver


def note_failed_create(original):
    """Remembers a custom resource whose creation failed: AWS sends it a Delete on rollback."""

    def invoke(request_type, logical_id, props, stack_name, stack_id, resource_type, **rest):
        key = (stack_id, logical_id)
        answered_failed.pop(key, None)
        try:
            return original(request_type, logical_id, props, stack_name, stack_id, resource_type, **rest)
        except (RuntimeError, TimeoutError):
            if request_type == "Create":
                generated = f"{stack_name}-{logical_id}-{new_uuid()[:8]}"
                failed_creates[key] = {
                    "PhysicalResourceId": answered_failed.pop(key, generated),
                    "ResourceType": resource_type,
                    "ResourceStatus": "CREATE_FAILED",
                    "LogicalResourceId": logical_id,
                    "Properties": props,
                    "Attributes": {},
                }
            raise

    return invoke


def delete_failed_create(original):
    """Puts a custom resource whose creation failed among those that the rollback deletes."""

    async def roll_back(stack_name, stack_id, stack, operation, *rest, **named):
        logical_id = operation.get("failed_logical_id")
        record = failed_creates.pop((stack_id, logical_id), None)
        if record is not None:
            stack.setdefault("_resources", {})[logical_id] = record
            operation["created"] = [*operation.get("created", []), logical_id]
        return await original(stack_name, stack_id, stack, operation, *rest, **named)

    return roll_back


def install() -> None:
    """Puts the rules in place."""
    wrap(provisioners, "_s3_delete", delete_bucket)
    wrap(provisioners, "_lambda_create", require_code)
    wrap(provisioners, "_lambda_version_create", require_digest)
    wrap(lambda_svc, "_execute_function_with_config_scope", fail_at_once)
    wrap(custom_resource, "deliver_response", note_failed_answer)
    wrap(custom_resource, "invoke_custom_resource", note_failed_create)
    wrap(stacks, "_roll_back_operation", delete_failed_create)
