Feature: A release goes from dev to prod by promotion
  Kargo finds a release in the image repository and brings it into one stage after the other.
  dev and staging take it by themselves, prod takes what staging has proven when a person says so.
  At each stage three things have to say the same: Git, Kargo, and what runs.

  Rule: What dev has proven goes to staging by itself

    Example: a release goes through dev and staging
      Given a pipeline whose stages all serve release 0.9.0
      And the canary pauses for 5 seconds
      And Kargo promotes its releases
      When release 1.0.0 is pushed to the registry
      Then there is Freight of 1.0.0, with an alias, and named after what it consists of
      And release 1.0.0 is promoted to dev by itself
      And Git, Kargo and the cluster agree that dev has 1.0.0
      And release 1.0.0 is promoted to staging by itself
      And staging verifies 1.0.0 by asking its endpoints
      And Git, Kargo and the cluster agree that staging has 1.0.0
      But prod waits until a person promotes it

  Rule: A promotion to prod ends with the sync; that the canary is taken back is told by the stage

    Example: a promoted release rolls back in prod
      Given a pipeline whose stages all serve release 0.9.0
      And the canary pauses for 5 seconds
      And prod carries a sidecar that allocates 256 MiB
      And the stable service of prod is probed throughout
      And Kargo promotes its releases
      And release 1.0.0 has come to dev and staging by itself
      When release 1.0.0 is promoted to prod by hand
      Then the Promotion of 1.0.0 succeeds, as it ends with the sync
      And Argo CD carried out one operation for it
      And one canary pod of three runs 1.0.0 at weight 20
      And the analysis fails, as the memory of a canary pod was above 150 MB
      And the rollout is aborted, and no pod of 1.0.0 remains
      And prod served 0.9.0 throughout, without a failed request
      But Git and Kargo have 1.0.0 in prod, while the cluster runs 0.9.0 and is Degraded
      And the stage prod is Unhealthy, and the Freight of 1.0.0 is not verified there
