"""Judges CloudFormation templates with cloudformation-validate, which has no command of its own.

`python judge.py FILE...` prints one JSON object a finding: file, rule, severity, message, logical_id
and line (the last two may be null). It ends with 0 even where there are findings: whoever calls it
decides. It ends with 1 where a file could not be judged to its end.
"""

import json
import sys

from cloudformation_validate import RegoEngine


def main(paths) -> int:
    """Judges every file with one engine: making an engine takes longer than judging a file."""
    engine = RegoEngine()
    complete = True
    for path in paths:
        report = engine.validate_template(path)
        complete = complete and report.status.name == "OK"
        for finding in report.diagnostics:
            print(json.dumps(as_data(path, finding)))
    return 0 if complete else 1


def as_data(path, finding) -> dict:
    """A finding as plain data."""
    return {
        "file": path,
        "rule": finding.rule_id,
        "severity": finding.severity.name.lower(),
        "message": finding.message,
        "logical_id": getattr(finding.entity, "logical_id", None),
        "line": finding.start_line,
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
