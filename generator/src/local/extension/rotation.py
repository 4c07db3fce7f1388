"""Rotation of secrets: `RotateSecret` drives the rotation function through its four steps, at once or by
schedule, and `AWS::SecretsManager::RotationSchedule` sets it up. ministack itself only copies the value.

What a rotation knows is kept in the secret's record, so that it outlives a restart:
`_Rotating` (token of a running rotation), `_RotationFailure` (step and reason of the last one that
failed), `_NextWindow` (when the next one starts).
"""

import contextvars
import json
import logging
import time

from ministack.core.concurrency import spawn_background
from ministack.core.responses import (
    _request_account_id, _request_region, error_response_json, json_response, new_uuid,
)
from ministack.services import lambda_svc
from ministack.services import secretsmanager as sm

from patching import add_resource, wrap
from schedule import InvalidRules, next_window
from secret_values import has_value

STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")
PRINCIPAL = "secretsmanager.amazonaws.com"
STARTS_PER_TICK = 8

logger = logging.getLogger("rotation")
running = set()  # ARNs of secrets whose rotation runs in this process
next_up = {}  # by ARN: token of a rotation that was asked for while the one before was about to return


def rotate_secret(data):
    """`RotateSecret`: checks, remembers function and rules, starts the rotation and answers at once."""
    _, secret = sm._resolve(data.get("SecretId"))
    if not secret:
        return error_response_json(
            "ResourceNotFoundException", "Secrets Manager can't find the specified secret.", 400)
    if secret.get("DeletedDate"):
        return refused("You can't perform this operation on the secret because it was marked for deletion.")
    if sm._is_replica(secret):
        return sm._replica_mutation_error()
    function = data.get("RotationLambdaARN") or secret.get("RotationLambdaARN")
    if not function:
        return refused("No Lambda rotation function ARN is associated with this secret.")
    if not may_invoke(function):
        return error_response_json(
            "AccessDeniedException", "Secrets Manager cannot invoke the specified Lambda function. Ensure "
            f"that the function policy grants access to the principal {PRINCIPAL}.", 400)
    rules = data.get("RotationRules") or secret.get("RotationRules")
    try:
        window = next_window(rules, time.time()) if rules else None
    except InvalidRules as error:
        return error_response_json("InvalidParameterException", str(error), 400)

    token = data.get("ClientRequestToken") or new_uuid()
    unfinished = unfinished_token(secret)
    if unfinished and unfinished != token:
        start(secret, unfinished)
        return refused("A previous rotation isn't complete. That rotation will be reattempted.")
    secret.update(RotationLambdaARN=function, RotationRules=rules, RotationEnabled=True)
    set_window(secret, window)
    if str(data.get("RotateImmediately", True)).lower() == "true":
        start(secret, token)
    else:
        start(secret, token, rehearsal=True)
    return json_response({"ARN": secret["ARN"], "Name": secret["Name"], "VersionId": token})


def refused(message):
    """An `InvalidRequestException`."""
    return error_response_json("InvalidRequestException", message, 400)


def may_invoke(function) -> bool:
    """Whether the function exists and its policy lets Secrets Manager call it."""
    record, _, _ = lambda_svc._get_func_record_for_ref(function)
    for statement in ((record or {}).get("policy") or {}).get("Statement", []):
        principal = statement.get("Principal", {})
        service = principal.get("Service", []) if isinstance(principal, dict) else principal
        if PRINCIPAL in ([service] if isinstance(service, str) else service):
            return True
    return False


def unfinished_token(secret):
    """Token of a rotation that did not come to its end, or None."""
    pending, _ = sm._find_stage_version(secret, "AWSPENDING")
    current, _ = sm._find_stage_version(secret, "AWSCURRENT")
    return pending if pending != current else None


def set_window(secret, window):
    """Remembers when the next rotation starts, and the end of that window as `NextRotationDate`."""
    secret["_NextWindow"], secret["NextRotationDate"] = window or (None, None)


def start(secret, token, rehearsal=False):
    """Starts the rotation `token` in a thread of its own; one that runs already is left alone.

    A handler must not call the function itself: the function calls back into this server.
    """
    if secret["ARN"] in running:
        # The new version is current before the function that made it so has returned.
        if is_current_elsewhere(secret, token):
            next_up[secret["ARN"]] = token, rehearsal
        return
    running.add(secret["ARN"])
    if token not in secret["Versions"]:
        secret["Versions"][token] = {
            "SecretString": None, "SecretBinary": None, "CreatedDate": int(time.time()), "Stages": [],
        }
    sm._remove_stage_everywhere(secret, "AWSPENDING", except_version_id=token)
    sm._add_stage(secret, token, "AWSPENDING")
    if not rehearsal:
        secret["_Rotating"] = token
    spawn_background(rehearse if rehearsal else rotate, secret, token, thread_name="extension-rotation")


def rotate(secret, token):
    """Calls the function's four steps; the first one that fails ends the rotation and is remembered."""
    try:
        for step in STEPS:
            reason = failure_of(secret, token, step)
            if reason is None and step == STEPS[-1] and not is_current(secret, token):
                reason = "the function returned without moving AWSCURRENT to the new version"
            if reason is not None:
                secret["_RotationFailure"] = {"Step": step, "Reason": reason, "Date": int(time.time())}
                logger.error("rotation of %s failed at %s: %s", secret["Name"], step, reason)
                return
        now = int(time.time())
        secret["LastRotatedDate"] = now
        secret.pop("_RotationFailure", None)
        if secret.get("RotationRules"):
            set_window(secret, next_window(secret["RotationRules"], now))
        logger.info("rotated %s to version %s", secret["Name"], token)
    finally:
        secret.pop("_Rotating", None)
        running.discard(secret["ARN"])
        if waiting := next_up.pop(secret["ARN"], None):
            start(secret, *waiting)


def is_current_elsewhere(secret, token):
    """Whether the running rotation has made its version current, and `token` names another one."""
    rotating = secret.get("_Rotating")
    return rotating not in (None, token) and is_current(secret, rotating)


def rehearse(secret, token):
    """What `RotateImmediately=false` does: testSecret on a pending version, which then goes again."""
    try:
        reason = failure_of(secret, token, "testSecret")
        if reason is not None:
            logger.warning("the rotation function of %s failed its test: %s", secret["Name"], reason)
    finally:
        version = secret["Versions"].get(token)
        if version is not None and not has_value(version):
            del secret["Versions"][token]
        running.discard(secret["ARN"])


def failure_of(secret, token, step):
    """Calls one step; None, or the reason why it failed."""
    event = {"Step": step, "SecretId": secret["ARN"], "ClientRequestToken": token}
    try:
        record, config, _ = lambda_svc._get_func_record_for_ref(secret["RotationLambdaARN"])
        if record is None or config is None:
            return f"the function {secret['RotationLambdaARN']} does not exist"
        prepared = lambda_svc._execution_record_for_config(record, config)
        result = lambda_svc._execute_function_with_config_scope(prepared, event)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return failure_in(result)


def failure_in(result):
    """The reason in what a function's execution returned, or None where it succeeded."""
    if not (result.get("error") or result.get("throttle")):
        return None
    body = result.get("body")
    if isinstance(body, dict) and "errorMessage" in body:
        return f"{body.get('errorType', 'Error')}: {body['errorMessage']}"
    return json.dumps(body)


def is_current(secret, token) -> bool:
    """Whether AWSCURRENT sits on the version `token`."""
    return "AWSCURRENT" in secret["Versions"].get(token, {}).get("Stages", [])


def start_due():
    """Starts, a few at a time, the rotations that are due and those that a stop of the server cut off."""
    now, left = time.time(), STARTS_PER_TICK
    for (account, region, _name), secret in list(sm._secrets._data.items()):
        if left == 0:
            return
        if secret["ARN"] in running or secret.get("DeletedDate") or sm._is_replica(secret):
            continue
        cut_off = secret.get("_Rotating")
        window = secret.get("_NextWindow") if secret.get("RotationEnabled") else None
        if not cut_off and (window is None or window > now):
            continue
        if not cut_off:
            # The next window stands before the attempt ends: a failing function is not called each second.
            set_window(secret, next_window(secret["RotationRules"], now))
        scope = contextvars.copy_context()
        scope.run(_request_account_id.set, account)
        scope.run(_request_region.set, region)
        scope.run(start, secret, cut_off or unfinished_token(secret) or new_uuid())
        left -= 1


def describe(original):
    """`DescribeSecret` with the dates of the last and the next rotation."""

    def describe_secret(data):
        status, headers, body = original(data)
        if status < 400:
            _, secret = sm._resolve(data.get("SecretId"))
            answer = json.loads(body)
            if secret.get("LastRotatedDate"):
                answer["LastRotatedDate"] = secret["LastRotatedDate"]
            if secret.get("RotationEnabled") and secret.get("NextRotationDate"):
                answer["NextRotationDate"] = secret["NextRotationDate"]
            status, headers, body = json_response(answer)
        return status, headers, body

    return describe_secret


def cancel_rotation(data):
    """`CancelRotateSecret`: no more rotations by schedule; a running one goes on."""
    _, secret = sm._resolve(data.get("SecretId"))
    if not secret:
        return error_response_json(
            "ResourceNotFoundException", "Secrets Manager can't find the specified secret.", 400)
    secret["RotationEnabled"] = False
    set_window(secret, None)
    return json_response({"ARN": secret["ARN"], "Name": secret["Name"]})


def with_cancel(original):
    """Adds `CancelRotateSecret`, which ministack lacks."""

    async def handle_request(method, path, headers, body, query_params):
        if headers.get("x-amz-target", "").endswith(".CancelRotateSecret"):
            return cancel_rotation(json.loads(body or b"{}"))
        return await original(method, path, headers, body, query_params)

    return handle_request


def apply_schedule(props):
    """Creates or changes a rotation schedule; its physical id is the secret's ARN."""
    if "HostedRotationLambda" in props:
        raise ValueError("HostedRotationLambda is not available in the local cloud")
    _, secret = sm._resolve(props["SecretId"])
    request = {key: props[key] for key in ("SecretId", "RotationLambdaARN", "RotationRules") if key in props}
    request["RotateImmediately"] = props.get("RotateImmediatelyOnUpdate", True)
    status, _, body = rotate_secret(request)
    if status >= 400:
        answer = json.loads(body)
        raise ValueError(f"{answer.get('message')} (Service: SecretsManager, Code: {answer.get('__type')})")
    return secret["ARN"], {"Id": secret["ARN"]}


def remove_schedule(physical_id, _props):
    """Ends rotation by schedule; a secret that is gone already is no failure."""
    cancel_rotation({"SecretId": physical_id})


def install() -> None:
    """Puts everything in place."""
    wrap(sm, "_rotate_secret", lambda _original: rotate_secret)
    wrap(sm, "_describe_secret", describe)
    wrap(sm, "handle_request", with_cancel)
    add_resource(
        "AWS::SecretsManager::RotationSchedule",
        create=lambda _logical_id, props, _stack: apply_schedule(props),
        update=lambda _physical_id, _old, new, _stack: apply_schedule(new),
        delete=remove_schedule,
    )
