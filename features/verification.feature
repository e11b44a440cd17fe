@kargo
Feature: What staging has not verified does not go to prod
  staging verifies what is promoted to it by an analysis. Only what passes it is available to prod.

  Rule: Freight whose verification fails is not available to the next stage

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
      Then 1.0.0 is verified in staging
      And 1.0.0 can be promoted to prod
