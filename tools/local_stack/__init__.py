"""`make up`, `down`, `status` and `preview`: the event store on the local Google Cloud."""
