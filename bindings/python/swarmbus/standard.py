"""The standard events: their types, and what their data holds. schemas/events.fbs of the source is where they come from."""

from __future__ import annotations

import dataclasses
from enum import Enum
from typing import Any


class EventTypes(str, Enum):
    """The standard types. Each is the str that it stands for."""

    AGENT_CREATED = "agent.created"
    AGENT_STATUS_CHANGED = "agent.status.changed"
    AGENT_TASK_ASSIGNED = "agent.task.assigned"
    AGENT_TASK_COMPLETED = "agent.task.completed"
    AGENT_CAPABILITY_ANNOUNCED = "agent.capability.announced"
    AGENT_COLLABORATION_REQUESTED = "agent.collaboration.requested"

    SYSTEM_ERROR = "system.error"
    SYSTEM_WARNING = "system.warning"
    SYSTEM_RESOURCE_ALERT = "system.resource.alert"

    TASK_CREATED = "task.created"
    TASK_QUEUED = "task.queued"
    TASK_STARTED = "task.started"
    TASK_COMPLETED = "task.completed"
    TASK_FAILED = "task.failed"

    def __str__(self) -> str:
        return self.value


class _Data:
    """Data of an event. What is None is left out."""

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Any:
        """Of an event's data; fields that this version does not know are left out."""
        known = {field.name for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
        return cls(**{name: value for name, value in data.items() if name in known})

    def to_dict(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if value is not None}


@dataclasses.dataclass
class AgentCreatedEvent(_Data):
    agent_id: str
    name: str | None = None
    role: str | None = None
    status: str | None = None
    capabilities: list[str] | None = None
    parent_id: str | None = None
    metadata: Any = None


@dataclasses.dataclass
class AgentStatusEvent(_Data):
    agent_id: str
    previous_status: str | None = None
    new_status: str | None = None
    reason: str | None = None
    metadata: Any = None


@dataclasses.dataclass
class AgentTaskAssignedEvent(_Data):
    agent_id: str
    task_id: str
    assigned_by: str | None = None
    priority: int | None = None
    deadline_ms: int | None = None
    metadata: Any = None


@dataclasses.dataclass
class AgentTaskCompletedEvent(_Data):
    agent_id: str
    task_id: str
    success: bool | None = None
    result: str | None = None
    duration_ms: float | None = None
    metadata: Any = None


@dataclasses.dataclass
class AgentCapabilityEvent(_Data):
    agent_id: str
    capability: str
    version: str | None = None
    description: str | None = None
    metadata: Any = None


@dataclasses.dataclass
class AgentCollaborationEvent(_Data):
    agent_id: str
    request_id: str | None = None
    task_id: str | None = None
    target_agent_id: str | None = None
    capabilities: list[str] | None = None
    reason: str | None = None
    metadata: Any = None


@dataclasses.dataclass
class SystemEvent(_Data):
    component: str | None = None
    code: str | None = None
    message: str | None = None
    detail: str | None = None
    metadata: Any = None


@dataclasses.dataclass
class SystemResourceEvent(_Data):
    resource: str
    component: str | None = None
    severity: str | None = None
    value: float | None = None
    threshold: float | None = None
    unit: str | None = None
    message: str | None = None
    metadata: Any = None


@dataclasses.dataclass
class TaskEvent(_Data):
    """What all events of tasks have in common."""

    task_id: str
    agent_id: str | None = None
    status: str | None = None
    metadata: Any = None


@dataclasses.dataclass
class TaskCreatedEvent(TaskEvent):
    title: str | None = None
    parent_task_id: str | None = None
    priority: int | None = None


@dataclasses.dataclass
class TaskQueuedEvent(TaskEvent):
    queue: str | None = None
    position: int | None = None


@dataclasses.dataclass
class TaskStartedEvent(TaskEvent):
    attempt: int | None = None


@dataclasses.dataclass
class TaskFailedEvent(TaskEvent):
    error: str | None = None
    attempt: int | None = None
    will_retry: bool | None = None


EVENT_SCHEMAS: dict[str, type[Any]] = {
    EventTypes.AGENT_CREATED: AgentCreatedEvent,
    EventTypes.AGENT_STATUS_CHANGED: AgentStatusEvent,
    EventTypes.AGENT_TASK_ASSIGNED: AgentTaskAssignedEvent,
    EventTypes.AGENT_TASK_COMPLETED: AgentTaskCompletedEvent,
    EventTypes.AGENT_CAPABILITY_ANNOUNCED: AgentCapabilityEvent,
    EventTypes.AGENT_COLLABORATION_REQUESTED: AgentCollaborationEvent,
    EventTypes.SYSTEM_ERROR: SystemEvent,
    EventTypes.SYSTEM_WARNING: SystemEvent,
    EventTypes.SYSTEM_RESOURCE_ALERT: SystemResourceEvent,
    EventTypes.TASK_CREATED: TaskCreatedEvent,
    EventTypes.TASK_QUEUED: TaskQueuedEvent,
    EventTypes.TASK_STARTED: TaskStartedEvent,
    EventTypes.TASK_COMPLETED: TaskEvent,
    EventTypes.TASK_FAILED: TaskFailedEvent,
}
"""The data of each standard type. EventTypes are str, so that `EVENT_SCHEMAS["task.failed"]` is found, too."""
