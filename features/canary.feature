Feature: A good release goes through its canary
  A release that is good reaches everyone, step by step, and nobody who uses the service notices.

  Rule: A good canary goes through dev and staging without a lost request

    Scenario Outline: a good canary goes through in <stage>
      Given a pipeline whose <stage> serves release 0.9.0
      And the canary pauses for 5 seconds
      And the stable service of <stage> is probed throughout
      When release 1.0.0 is committed to <stage>
      Then one canary pod of three runs 1.0.0 at weight 20
      And the canary is analysed at weight 20
      And the analysis of the canary is Successful
      And the rollout goes on to weight 50 and to the end
      And the stable ReplicaSet of <stage> runs 1.0.0
      And <stage> served 0.9.0 and then 1.0.0, without a failed request

      Examples:
        | stage   |
        | dev     |
        | staging |

  Rule: A release that is not good goes no further than its canary

    Example: an unhealthy canary is taken back
      Given a pipeline whose dev serves release 0.9.0
      And the canary pauses for 5 seconds
      And release 1.0.0 says that it is unhealthy
      When release 1.0.0 is committed to dev
      Then the analysis of the canary fails by its metric health
      And the rollout is aborted, and no pod of 1.0.0 remains
      And the stable ReplicaSet of dev runs 0.9.0

  Rule: The pauses of the demo are as its manifests have them

    Example: a canary pauses for 30 seconds before it is analysed
      Given a pipeline whose dev serves release 0.9.0
      When release 1.0.0 is committed to dev
      Then the canary is paused for 30 seconds before its analysis begins
