"""When a secret rotates next: the rules of Secrets Manager as numbers.

Source: secretsmanager/latest/userguide/rotate-secrets_schedule. All times are seconds since the epoch.
"""

import re
from datetime import datetime, timezone

from ministack.services import eventbridge

HOUR = 3600
DAY = 24 * HOUR


class InvalidRules(ValueError):
    """Rotation rules that Secrets Manager refuses."""


def next_window(rules, since):
    """Start and end of the first rotation window after `since`.

    Rules by days open at midnight UTC of their day; those by hours count from `since`. Without a
    `Duration` a window of hours lasts one hour and any other one to the end of its UTC day.
    """
    days, expression = rules.get("AutomaticallyAfterDays"), rules.get("ScheduleExpression")
    if days is not None and expression:
        raise InvalidRules("AutomaticallyAfterDays and ScheduleExpression exclude each other.")
    hourly = False
    if days is not None:
        if not 1 <= int(days) <= 1000:
            raise InvalidRules("AutomaticallyAfterDays must be between 1 and 1000.")
        start = midnight(since + int(days) * DAY)
    elif expression:
        start, hourly = by_expression(expression, since)
    else:
        raise InvalidRules("The rotation rules name neither AutomaticallyAfterDays nor ScheduleExpression.")
    return start, start + duration(rules, start, hourly)


def by_expression(expression, since):
    """Start of the next window of a `rate(…)` or `cron(…)`, and whether it is one of hours."""
    rate = re.fullmatch(r"rate\((\d+) (hours?|days?)\)", expression.strip())
    if rate:
        count, hourly = int(rate[1]), rate[2].startswith("hour")
        if hourly and count < 4 or count < 1:
            raise InvalidRules("A rate must be at least 4 hours.")
        return (since + count * HOUR, True) if hourly else (midnight(since + count * DAY), False)
    fields = eventbridge._parse_cron_fields(expression)
    after = datetime.fromtimestamp(since, tz=timezone.utc)
    fire = eventbridge._cron_next_fire(fields, after) if fields else None
    if fire is None:
        raise InvalidRules(f"Invalid ScheduleExpression: {expression}")
    hours = expression.strip()[len("cron("):].split()[1]
    return int(fire.timestamp()), not hours.isdecimal()


def duration(rules, start, hourly):
    """Length of the window that opens at `start`."""
    text = rules.get("Duration")
    if text:
        given = re.fullmatch(r"(\d{1,2})h", text)
        if not given or not 1 <= int(given[1]) <= 24:
            raise InvalidRules(f"Invalid Duration: {text}")
        return int(given[1]) * HOUR
    return HOUR if hourly else midnight(start) + DAY - 1 - start


def midnight(time):
    """Midnight UTC at or before `time`."""
    return int(time) // DAY * DAY
