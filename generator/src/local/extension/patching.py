"""How the other modules replace a function of ministack."""

from ministack.services.cloudformation import provisioners


def wrap(module, name, make) -> None:
    """Replaces `module.name` by `make(original)`, in CloudFormation's handler table too."""
    original = getattr(module, name)
    replacement = make(original)
    setattr(module, name, replacement)
    for handler in provisioners._RESOURCE_HANDLERS.values():
        for operation, function in handler.items():
            if function is original:
                handler[operation] = replacement


def add_resource(resource_type, create, update, delete) -> None:
    """Adds a CloudFormation resource type.

    `create(logical_id, props, stack_name)` and `update(physical_id, old, new, stack_name)` return the
    physical id and the attributes; `delete(physical_id, props)` returns nothing. All raise on failure.
    """
    if resource_type in provisioners._RESOURCE_HANDLERS:
        raise RuntimeError(f"ministack has {resource_type} already: the extension must not hide it")
    provisioners._RESOURCE_HANDLERS[resource_type] = {"create": create, "update": update, "delete": delete}
