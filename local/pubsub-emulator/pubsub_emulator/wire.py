"""The plain protobuf classes of the API; google-cloud-pubsub's wrappers are too slow for a server."""

from google.iam.v1 import iam_policy_pb2, policy_pb2
from google.protobuf import empty_pb2
from google.pubsub_v1.types import pubsub, schema

AcknowledgeRequest = pubsub.AcknowledgeRequest.meta.pb
CreateSnapshotRequest = pubsub.CreateSnapshotRequest.meta.pb
DeleteSnapshotRequest = pubsub.DeleteSnapshotRequest.meta.pb
DeleteSubscriptionRequest = pubsub.DeleteSubscriptionRequest.meta.pb
DeleteTopicRequest = pubsub.DeleteTopicRequest.meta.pb
DetachSubscriptionRequest = pubsub.DetachSubscriptionRequest.meta.pb
DetachSubscriptionResponse = pubsub.DetachSubscriptionResponse.meta.pb
GetSnapshotRequest = pubsub.GetSnapshotRequest.meta.pb
GetSubscriptionRequest = pubsub.GetSubscriptionRequest.meta.pb
GetTopicRequest = pubsub.GetTopicRequest.meta.pb
ListSnapshotsRequest = pubsub.ListSnapshotsRequest.meta.pb
ListSnapshotsResponse = pubsub.ListSnapshotsResponse.meta.pb
ListSubscriptionsRequest = pubsub.ListSubscriptionsRequest.meta.pb
ListSubscriptionsResponse = pubsub.ListSubscriptionsResponse.meta.pb
ListTopicSnapshotsRequest = pubsub.ListTopicSnapshotsRequest.meta.pb
ListTopicSnapshotsResponse = pubsub.ListTopicSnapshotsResponse.meta.pb
ListTopicSubscriptionsRequest = pubsub.ListTopicSubscriptionsRequest.meta.pb
ListTopicSubscriptionsResponse = pubsub.ListTopicSubscriptionsResponse.meta.pb
ListTopicsRequest = pubsub.ListTopicsRequest.meta.pb
ListTopicsResponse = pubsub.ListTopicsResponse.meta.pb
ModifyAckDeadlineRequest = pubsub.ModifyAckDeadlineRequest.meta.pb
ModifyPushConfigRequest = pubsub.ModifyPushConfigRequest.meta.pb
PublishRequest = pubsub.PublishRequest.meta.pb
PublishResponse = pubsub.PublishResponse.meta.pb
PubsubMessage = pubsub.PubsubMessage.meta.pb
PullRequest = pubsub.PullRequest.meta.pb
PullResponse = pubsub.PullResponse.meta.pb
SeekRequest = pubsub.SeekRequest.meta.pb
SeekResponse = pubsub.SeekResponse.meta.pb
Snapshot = pubsub.Snapshot.meta.pb
StreamingPullRequest = pubsub.StreamingPullRequest.meta.pb
StreamingPullResponse = pubsub.StreamingPullResponse.meta.pb
Subscription = pubsub.Subscription.meta.pb
Topic = pubsub.Topic.meta.pb
UpdateSnapshotRequest = pubsub.UpdateSnapshotRequest.meta.pb
UpdateSubscriptionRequest = pubsub.UpdateSubscriptionRequest.meta.pb
UpdateTopicRequest = pubsub.UpdateTopicRequest.meta.pb

CommitSchemaRequest = schema.CommitSchemaRequest.meta.pb
CreateSchemaRequest = schema.CreateSchemaRequest.meta.pb
DeleteSchemaRequest = schema.DeleteSchemaRequest.meta.pb
DeleteSchemaRevisionRequest = schema.DeleteSchemaRevisionRequest.meta.pb
GetSchemaRequest = schema.GetSchemaRequest.meta.pb
ListSchemaRevisionsRequest = schema.ListSchemaRevisionsRequest.meta.pb
ListSchemaRevisionsResponse = schema.ListSchemaRevisionsResponse.meta.pb
ListSchemasRequest = schema.ListSchemasRequest.meta.pb
ListSchemasResponse = schema.ListSchemasResponse.meta.pb
RollbackSchemaRequest = schema.RollbackSchemaRequest.meta.pb
Schema = schema.Schema.meta.pb
ValidateMessageRequest = schema.ValidateMessageRequest.meta.pb
ValidateMessageResponse = schema.ValidateMessageResponse.meta.pb
ValidateSchemaRequest = schema.ValidateSchemaRequest.meta.pb
ValidateSchemaResponse = schema.ValidateSchemaResponse.meta.pb

Empty = empty_pb2.Empty
GetIamPolicyRequest = iam_policy_pb2.GetIamPolicyRequest
Policy = policy_pb2.Policy
SetIamPolicyRequest = iam_policy_pb2.SetIamPolicyRequest
TestIamPermissionsRequest = iam_policy_pb2.TestIamPermissionsRequest
TestIamPermissionsResponse = iam_policy_pb2.TestIamPermissionsResponse
