Feature: What people do by hand
  People promote, abort, decide about a canary that is paused. They also make mistakes, which are explained.

  Rule: A promotion that is aborted goes no further

    Example: a promotion is aborted before its push
      Given a pipeline without pods
      And Kargo promotes its releases when told to
      And there is Freight of 1.0.0
      And a promotion of 1.0.0 to dev is held after its step commit
      When the promotion is aborted
      Then the promotion ends Aborted: Promotion terminated by kubernetes:
      And Git and the cluster have 0.9.0 in dev
      And the next promotion of 1.0.0 to dev succeeds

  Rule: A stage takes over the results of its promotions in the order of their names

    Example: a promotion with a name out of order
      Given a project whose stages deploy nothing, promoted by hand
      And 1.0.0 was promoted to dev
      And there is Freight of 1.1.0
      When 1.1.0 is promoted to dev under the name dev.0
      Then the promotion succeeds
      But waiting for dev to take it over fails at once, as dev.0 sorts before the name of the last promotion

  Rule: A canary that is paused goes on, or goes, when a person says so

    Example: the paused canary is promoted
      Given a pipeline whose dev serves release 0.9.0
      And Kargo promotes its releases when told to
      And release 1.0.0 was promoted to dev, whose canary is paused
      When a person promotes the rollout of dev in full
      Then the stable ReplicaSet of dev runs 1.0.0
      And no analysis was started
      And the stage dev is Healthy with 1.0.0

    Example: the paused canary is aborted
      Given a pipeline whose dev serves release 0.9.0
      And Kargo promotes its releases when told to
      And release 1.0.0 was promoted to dev, whose canary is paused
      When a person aborts the rollout of dev
      Then the rollout is aborted, and no pod of 1.0.0 remains
      And the stage dev is Unhealthy, and the Freight of 1.0.0 is not verified there

    Example: a canary that was aborted is tried again
      Given a pipeline whose dev serves release 0.9.0
      And the canary pauses for 5 seconds
      When release 1.0.0 is committed to dev
      And the canary of dev is paused at weight 20
      And a person aborts the rollout of dev
      Then the rollout is aborted, and no pod of 1.0.0 remains
      When a person retries the rollout of dev
      Then the canary is analysed at weight 20
      And the stable ReplicaSet of dev runs 1.0.0
