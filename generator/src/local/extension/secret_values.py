"""Values and versions of secrets, as Secrets Manager treats them."""

from ministack.core.responses import error_response_json, json_response
from ministack.services import secretsmanager as sm
from ministack.services.cloudformation import provisioners

from patching import wrap

VALUE = ("SecretString", "SecretBinary")


def has_value(version) -> bool:
    """Whether a version holds a value; a rotation's pending version has none at first."""
    return any(version.get(key) is not None for key in VALUE)


def get_value(original):
    """A version without a value cannot be read: rotation functions rely on that answer."""

    def get_secret_value(data):
        _, secret = sm._resolve(data.get("SecretId"))
        if secret and not secret.get("DeletedDate"):
            stage = data.get("VersionStage", "AWSCURRENT")
            if data.get("VersionId"):
                version = secret["Versions"].get(data["VersionId"])
                if version and "VersionStage" in data and stage not in version["Stages"]:
                    return not_found(stage)
            else:
                _, version = sm._find_stage_version(secret, stage)
            if version and not has_value(version):
                return not_found(stage)
        return original(data)

    return get_secret_value


def not_found(stage):
    """The answer where a staging label has no value."""
    message = f"Secrets Manager can't find the specified secret value for staging label: {stage}"
    return error_response_json("ResourceNotFoundException", message, 400)


def put_value(original):
    """One token names one value for ever, and a label sits on one version only."""

    def put_secret_value(data):
        _, secret = sm._resolve(data.get("SecretId"))
        if not secret or secret.get("DeletedDate") or sm._is_replica(secret):
            return original(data)
        token = data.get("ClientRequestToken")
        stages = list(data.get("VersionStages") or ["AWSCURRENT"])
        known = secret["Versions"].get(token) if token else None
        if known and has_value(known):
            return repeat(secret, token, known, data)
        if not secret["Versions"] and "AWSCURRENT" not in stages:
            stages.append("AWSCURRENT")  # the first version of a secret is always the current one
        kept = [stage for stage in (known or {}).get("Stages", []) if stage not in stages]
        answer = original({**data, "VersionStages": stages})
        if answer[0] < 400 and token:
            version = secret["Versions"][token]
            version["Stages"] += [stage for stage in (*stages, *kept) if stage not in version["Stages"]]
            for stage in stages:
                if stage not in ("AWSCURRENT", "AWSPREVIOUS"):
                    sm._remove_stage_everywhere(secret, stage, except_version_id=token)
        return answer

    return put_secret_value


def repeat(secret, token, known, data):
    """The answer to a token that has a value: nothing happens, or a refusal if the value is another."""
    if any(known.get(key) != data.get(key) for key in VALUE):
        message = (
            f"You can't use ClientRequestToken {token} because that value is already in use for a version "
            f"of secret {secret['ARN']}.")
        return error_response_json("ResourceExistsException", message, 400)
    return json_response({
        "ARN": secret["ARN"],
        "Name": secret["Name"],
        "VersionId": token,
        "VersionStages": list(known["Stages"]),
    })


def create_by_stack(original):
    """A secret of a stack takes no name that is in use, and without a value it has no version."""

    def create(logical_id, props, stack_name):
        name = props.get("Name")
        if name and name in sm._secrets:
            raise ValueError(f"The operation failed because the secret {name} already exists.")
        physical_id, attributes = original(logical_id, props, stack_name)
        if "SecretString" not in props and "GenerateSecretString" not in props:
            sm._secrets[physical_id]["Versions"] = {}
        return physical_id, attributes

    return create


def install() -> None:
    """Puts the functions in place."""
    wrap(sm, "_get_secret_value", get_value)
    wrap(sm, "_put_secret_value", put_value)
    wrap(provisioners, "_sm_secret_create", create_by_stack)
