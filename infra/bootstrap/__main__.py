"""The bootstrap: the identities that CI previews and deploys one environment with. Run by a person, once."""

import sys

import pulumi
from pulumi.runtime.config import CONFIG

from event_store.errors import ConfigurationError
from infra.components.delivery import Delivery
from infra.components.project_services import ProjectServices, ProjectServicesArgs
from infra.settings.bootstrap import BootstrapSettings

APIS = ("cloudkms", "cloudresourcemanager", "iam", "iamcredentials", "serviceusage", "storage", "sts")

try:
    settings = BootstrapSettings.parse(CONFIG.get())
except ConfigurationError as error:
    pulumi.log.error(str(error))
    sys.exit(32)  # tells the language host that the user has been told, and needs no traceback

services = ProjectServices("services", ProjectServicesArgs(project=settings.project, apis=APIS))
delivery = Delivery("delivery", settings, pulumi.ResourceOptions(depends_on=[services]))
pulumi.export("deployer", delivery.deployer)
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
