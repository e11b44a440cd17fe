Feature: Production keeps its release when the next one's canary takes too much memory
  The canary in prod is judged by the memory of its own pods, in Prometheus.
  Above 150 MB it is taken back, before more than one pod in three has run it.

  Rule: A canary above 150 MB rolls back

    Example: prod canary exceeds 150MB and rolls back
      Given a pipeline whose prod serves release 0.9.0
      And prod carries a sidecar that allocates 256 MiB
      And the canary pauses for 5 seconds
      And the stable service of prod is probed throughout
      When release 1.0.0 is committed to prod
      Then one canary pod of three runs 1.0.0 at weight 20
      And the analysis fails, as the memory of a canary pod was above 150 MB
      And the rollout is aborted, and no pod of 1.0.0 remains
      And the stable ReplicaSet of prod runs 0.9.0
      And prod served 0.9.0 throughout, without a failed request
      But Git asks for 1.0.0 in prod, and its Application is Degraded

    Example: after the rollback, the release without the sidecar goes through
      Given a pipeline whose prod serves release 0.9.0
      And the canary pauses for 5 seconds
      And release 1.0.0 was rolled back in prod
      When prod no longer carries the sidecar, by a commit on main
      And release 1.0.0 is committed to prod
      Then the analysis of the canary is Successful
      And the stable ReplicaSet of prod runs 1.0.0
      And the Application of prod is Synced and Healthy

  Rule: It is the canary's memory that decides, and nothing else

    Example: a canary without the sidecar goes through
      Given a pipeline whose prod serves release 0.9.0 without the sidecar
      And the canary pauses for 5 seconds
      When release 1.0.0 is committed to prod
      Then the analysis of the canary is Successful
      And the stable ReplicaSet of prod runs 1.0.0

    Example: a light canary goes through beside heavy stable pods
      Given a pipeline whose prod serves release 0.9.0
      And the canary pauses for 5 seconds
      And the stable pods of prod use more than 150 MB each
      When prod no longer carries the sidecar, by a commit on main
      And release 1.0.0 is committed to prod
      Then the analysis of the canary is Successful
      And the stable ReplicaSet of prod runs 1.0.0

    @long
    Example: a canary that is asked for products keeps to its memory
      Given a pipeline whose prod serves release 0.9.0 without the sidecar
      And the canary pauses for 5 seconds
      And the canary and the stable pods of prod are asked for products, 10 times a second each
      When release 1.0.0 is committed to prod
      Then the analysis of the canary is Successful
      And the stable ReplicaSet of prod runs 1.0.0

  Rule: Without a measurement nothing is released, and nothing is called too large

    @fault
    Example: Prometheus cannot be reached
      Given a pipeline whose prod serves release 0.9.0
      And the canary pauses for 5 seconds
      And the analysis of prod asks a Prometheus that is not there
      When release 1.0.0 is committed to prod
      Then the analysis of the canary ends in Error, as Prometheus cannot be reached
      And the rollout is aborted, and no pod of 1.0.0 remains
      And the stable ReplicaSet of prod runs 0.9.0

    @fault
    Example: Prometheus has no measurement
      Given a pipeline whose prod serves release 0.9.0
      And the canary pauses for 5 seconds
      And the analysis of prod asks for a metric that nothing reports
      When release 1.0.0 is committed to prod
      Then the analysis of the canary is Inconclusive, as there was no measurement
      And the rollout is paused for a decision, with the canary at weight 20
      And the stable ReplicaSet of prod runs 0.9.0

  Rule: A canary that never gets ready is given up at its deadline

    @fault
    Example: canary never ready
      Given a pipeline whose prod serves release 0.9.0
      And a canary has 20 seconds to make progress
      And release 1.0.0 never gets ready
      And the stable service of prod is probed throughout
      When release 1.0.0 is committed to prod
      Then the rollout is aborted, as it exceeded its progress deadline
      And no analysis was started
      And the stable ReplicaSet of prod runs 0.9.0
      And prod served 0.9.0 throughout, without a failed request
