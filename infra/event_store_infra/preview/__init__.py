"""The preview guard: reads the engine's own plan, says what it does, and refuses what would lose data.

    review.py    the plan, the verdict and the report in turn
    markdown.py  text of others as code, which neither breaks nor forges anything
    plan/
      plan.py      what `pulumi preview --json` says, parsed into frozen values
      paths.py     where a property is, as the engine writes it
      compared.py  what it was compared with: the real state, another program, or nothing
      engine.py    the engine on a stack's real state
    effects/     what each change of each resource does, a table for each type
    judging/
      guard.py     the verdict on a plan: what is refused, what was acknowledged by name, what failed
      acknowledgement.py  what the stack's file lets pass: one deed on one resource a line
      context.py   what goes with another resource, and what would keep it
      cause.py     the one setting that makes many resources anew
      emptied.py   an empty one in place of one that held data
      relieved.py  what stops nobody, since something else takes over
      spared.py    what goes without a loss: read replicas, read pools, what a restore leaves behind
      obstacles.py what would make the update fail
    report/
      summary.py   the plan and the verdict in Markdown
      headline.py  the worst that was found
      difference.py  where an old and a new value differ
      at_stake.py  since when that stands which a plan takes away, and how much it holds
      backlog.py   how much a topic or a subscription holds, by Cloud Monitoring
      comment.py   the summaries of all stacks, what is refused first
      github.py    one comment on a pull request, one issue about drift

It needs no SDK of Pulumi's. `python -m event_store_infra.preview check` makes the plan of a stack and judges
it, as `make preview` does; `judge` takes one that is there already, and needs no credentials.
"""
