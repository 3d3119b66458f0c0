"""The bootstrap: the identities that CI previews and deploys one environment with. Run by a person, once."""

import pulumi
from pulumi.runtime.config import CONFIG

from event_store_infra import (
    Accounts,
    AccountsArgs,
    BootstrapSettings,
    ContinuousDelivery,
    ProjectServices,
    ProjectServicesArgs,
    one_message,
)

APIS = (
    *("cloudkms", "cloudresourcemanager", "iam", "iamcredentials", "serviceusage", "storage", "sts"),
    *("pubsub", "run"),  # whose service agents are granted rights here
)

with one_message():
    settings = BootstrapSettings.parse(CONFIG.get())

services = ProjectServices("services", ProjectServicesArgs(project=settings.project, apis=APIS))
enabled = pulumi.ResourceOptions(depends_on=[services])
delivery = ContinuousDelivery("delivery", settings, enabled)
accounts = Accounts(
    "accounts",
    AccountsArgs(
        project=settings.project,
        prefix=settings.prefix,
        engine=settings.engine,
        deployer=delivery.deployer_member,
    ),
    enabled,
)
pulumi.export("deployer", delivery.deployer)
# For `event-store:image_readers` of the stack that builds the image.
pulumi.export("image_readers", accounts.readers)
# A part of the repository's variable ENVIRONMENTS, which the workflows read.
pulumi.export(
    "environments",
    {
        settings.environment: {
            "backend": f"gs://{settings.state_bucket}",
            "provider": delivery.provider,
            "deployer": delivery.deployer,
            "previewer": delivery.previewer,
        }
    },
)
