Feature: What staging has not verified does not go to prod
  staging verifies what is promoted to it by an analysis. Only what passes it is available to prod.

  Rule: Freight whose verification fails is not available to the next stage

    Example: a release that says in staging that it is unhealthy
      Given a pipeline whose dev and staging serve release 0.9.0
      And the canary pauses for 5 seconds
      And the canary is not asked for its health
      And release 1.0.0 says that it is unhealthy
      And Kargo promotes its releases
      When release 1.0.0 is pushed to the registry
      Then the verification of 1.0.0 in staging fails by its metric health
      And a promotion of 1.0.0 to prod is refused: Freight is not available to this Stage

    Example: a verification fails
      Given a project whose staging verifies that a metric is 1
      And that metric is 0
      When release 1.0.0 is pushed to the registry
      Then staging has a verification of 1.0.0 that ended Failed
      And a promotion of 1.0.0 to prod is refused: Freight is not available to this Stage

    Example: after a fix, the verification is repeated
      Given a project whose staging verifies that a metric is 1
      And that metric is 0
      And the verification of 1.0.0 in staging failed
      When that metric is 1, and staging is to verify again
      Then staging has a verification of 1.0.0 that ended Successful
      And 1.0.0 is verified in staging
      And 1.0.0 can be promoted to prod
