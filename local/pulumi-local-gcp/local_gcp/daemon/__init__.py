"""The background process that is the local Google Cloud: assembling, starting, finding and stopping it."""
