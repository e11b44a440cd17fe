@alone @fault
Feature: A promotion survives that Kargo is killed
  Kargo keeps what it knows in the API's objects. Its work directory does not survive its pod.
  A promotion that was interrupted begins anew, and does nothing twice that must not be.

  Rule: Wherever it is interrupted, there is one commit and one sync of it

    Scenario Outline: killed after <step>
      Given a pipeline without pods
      And Kargo promotes its releases when told to
      And there is Freight of 1.0.0
      And a promotion of 1.0.0 to dev is held after its step <step>
      When Kargo is killed, and comes back
      Then the promotion succeeds
      And Git has 1.0.0 in dev, by one commit
      And Argo CD carried out one operation for it

      Examples:
        | step   |
        | clone  |
        | commit |
        | push   |

      @long
      Examples:
        | step         |
        | clear        |
        | update-image |
        | build        |

    Example: killed while Argo CD is at the sync
      Given a pipeline without pods
      And Kargo promotes its releases when told to
      And there is Freight of 1.0.0
      And a promotion of 1.0.0 to dev waits for its sync
      When Kargo is killed, and comes back
      Then the promotion succeeds
      And Git has 1.0.0 in dev, by one commit
      And Argo CD carried out one operation for it
