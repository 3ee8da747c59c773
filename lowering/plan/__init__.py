"""The PE jaxpr becomes a plan: steps, buffers, colors, queues, bytes and cycles."""

from lowering.plan.build import Cost, Plan, StepCost, plan
from lowering.plan.check import check_fits, check_mesh, check_plan
from lowering.plan.patterns import PATTERNS, Pattern

__all__ = [
    "PATTERNS",
    "Cost",
    "Pattern",
    "Plan",
    "StepCost",
    "check_fits",
    "check_mesh",
    "check_plan",
    "plan",
]
