"""The Pulumi program: one stack of the event store, whose image is built from this repository."""

from event_store_infra import ImageBuild, deploy

# Pulumi runs the program in its own folder. A relative path is the same on every machine.
deploy(image=ImageBuild(context="..", dockerfile="../service/Dockerfile"))
