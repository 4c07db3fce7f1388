"""`AWS::Cognito::ManagedLoginBranding`, kept and described; the local cloud shows no login pages."""

import time

from ministack.core.responses import error_response_json, json_response, new_uuid
from ministack.services import cognito

from patching import add_resource, wrap

STYLES = "_managed_login_brandings"


def styles_of(pool_id):
    """The pool's styles by id; raises where the pool is missing."""
    pool = cognito._user_pools.get(pool_id)
    if pool is None:
        raise ValueError(f"User pool {pool_id} does not exist.")
    return pool.setdefault(STYLES, {})


def write(style_id, props):
    """Stores the style `style_id` of a pool's app client."""
    styles = styles_of(props["UserPoolId"])
    client = props.get("ClientId")
    if any(style["ClientId"] == client for other, style in styles.items() if other != style_id):
        raise ValueError(f"A style for the app client {client} exists already.")
    now = time.time()
    created = styles.get(style_id, {}).get("CreationDate", now)
    styles[style_id] = {
        "ManagedLoginBrandingId": style_id,
        "UserPoolId": props["UserPoolId"],
        "ClientId": client,
        "UseCognitoProvidedValues": str(props.get("UseCognitoProvidedValues", False)).lower() == "true",
        "Settings": props.get("Settings", {}),
        "Assets": props.get("Assets", []),
        "CreationDate": created,
        "LastModifiedDate": now,
    }
    return f"{props['UserPoolId']}|{style_id}", {"ManagedLoginBrandingId": style_id}


def create(_logical_id, props, _stack_name):
    """Creates a style under a new id."""
    return write(new_uuid(), props)


def update(physical_id, old, new, _stack_name):
    """Changes a style in place; another pool or client is another resource."""
    if any(old.get(key) != new.get(key) for key in ("UserPoolId", "ClientId")):
        return write(new_uuid(), new)
    return write(physical_id.rpartition("|")[2], new)


def delete(physical_id, _props):
    """Deletes a style; one that is gone already is no failure."""
    pool_id, _, style_id = physical_id.rpartition("|")
    pool = cognito._user_pools.get(pool_id) or {}
    pool.get(STYLES, {}).pop(style_id, None)


def describe(data, key):
    """Answers a Describe call by `key`, either `ManagedLoginBrandingId` or `ClientId`."""
    pool = cognito._user_pools.get(data.get("UserPoolId")) or {}
    for style in pool.get(STYLES, {}).values():
        if style[key] == data.get(key):
            shown = {name: value for name, value in style.items() if name != "ClientId"}
            return json_response({"ManagedLoginBranding": shown})
    return error_response_json("ResourceNotFoundException", "Managed login branding does not exist.", 400)


def install() -> None:
    """Adds the type and the two Describe calls."""
    keys = {
        "DescribeManagedLoginBranding": "ManagedLoginBrandingId",
        "DescribeManagedLoginBrandingByClient": "ClientId",
    }

    def with_describe(original):
        async def dispatch(action, data):
            if action in keys:
                return describe(data, keys[action])
            return await original(action, data)

        return dispatch

    wrap(cognito, "_dispatch_idp", with_describe)
    add_resource("AWS::Cognito::ManagedLoginBranding", create, update, delete)
