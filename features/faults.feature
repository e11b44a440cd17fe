Feature: What goes wrong around a release is borne
  Pods end, images are missing, people push and promote beside each other, parts of the platform go and come back.
  Whatever it is: users are served by the stable release, nothing is half promoted, and what Git asks for comes about
  once the fault is over.

  Rule: A release whose pods cannot run goes no further than its canary

    Example: the image of the release is missing
      Given a pipeline whose dev serves release 0.9.0
      And a canary has 20 seconds to make progress
      And the stable service of dev is probed throughout
      When release 7.7.7 is committed to dev
      Then the rollout is aborted, as it exceeded its progress deadline
      And the timeline of dev tells of a pod: ImagePull
      And the stable ReplicaSet of dev runs 0.9.0
      And dev served 0.9.0 throughout, without a failed request

    Example: the release takes more memory than its pods may have
      Given a pipeline whose dev serves release 0.9.0
      And a canary has 20 seconds to make progress
      And release 1.0.0 takes 500 MiB of memory
      And the stable service of dev is probed throughout
      When release 1.0.0 is committed to dev
      Then the rollout is aborted, as it exceeded its progress deadline
      And the timeline of dev tells of a pod: OOMKilled
      And the stable ReplicaSet of dev runs 0.9.0
      And dev served 0.9.0 throughout, without a failed request

  Rule: A pod that goes is made anew, and the release goes on

    Example: the canary's pod is evicted while the canary is paused
      Given a pipeline whose dev serves release 0.9.0
      And the canary pauses for 5 seconds
      And the stable service of dev is probed throughout
      When release 1.0.0 is committed to dev
      And the canary of dev is paused at weight 20
      And the canary's pod is evicted
      Then the rollout goes on to weight 50 and to the end
      And the stable ReplicaSet of dev runs 1.0.0
      And dev served 0.9.0 and then 1.0.0, without a failed request

    Example: a stable pod is evicted while the canary is paused
      Given a pipeline whose dev serves release 0.9.0
      And the canary pauses for 5 seconds
      And the stable service of dev is probed throughout
      When release 1.0.0 is committed to dev
      And the canary of dev is paused at weight 20
      And a stable pod is evicted
      Then the rollout goes on to weight 50 and to the end
      And dev served 0.9.0 and then 1.0.0, without a failed request

  Rule: What Git asks for last is what comes about

    Example: the branch is set back while the canary is paused
      Given a pipeline whose dev serves release 0.9.0
      And the canary pauses for 5 seconds
      And the stable service of dev is probed throughout
      When release 1.0.0 is committed to dev
      And the canary of dev is paused at weight 20
      And somebody sets the branch of dev back to release 0.9.0
      Then the Application of dev is Synced and Healthy
      And no pod of 1.0.0 remains in dev
      And dev served 0.9.0 throughout, without a failed request

    Example: two promotions at once
      Given a pipeline without pods
      And Kargo promotes its releases when told to
      And there is Freight of 1.0.0
      When 1.0.0 is promoted to dev twice at once
      Then both promotions succeed, one after the other
      And Git has 1.0.0 in dev, by one commit

  Rule: A part of the platform that goes holds a release up, and does not spoil it

    @alone
    Example: Argo Rollouts is killed while the canary is paused
      Given a pipeline whose dev serves release 0.9.0
      And the canary pauses for 5 seconds
      And the stable service of dev is probed throughout
      When release 1.0.0 is committed to dev
      And the canary of dev is paused at weight 20
      And Argo Rollouts is killed, and comes back
      Then the rollout goes on to weight 50 and to the end
      And dev served 0.9.0 and then 1.0.0, without a failed request

    @alone
    Example: Argo CD is killed while it is to deploy a release
      Given a pipeline whose dev serves release 0.9.0
      And the canary pauses for 5 seconds
      And the stable service of dev is probed throughout
      When release 1.0.0 is committed to dev
      And Argo CD is killed, and comes back
      Then the stable ReplicaSet of dev runs 1.0.0
      And the Application of dev is Synced and Healthy
      And dev served 0.9.0 and then 1.0.0, without a failed request

    @alone
    Example: Prometheus is out of reach while the canary in prod is analysed
      Given a pipeline whose prod serves release 0.9.0
      And the canary pauses for 5 seconds
      And the stable service of prod is probed throughout
      When Prometheus goes out of reach
      And release 1.0.0 is committed to prod
      Then the analysis of the canary ends in Error, as Prometheus cannot be reached
      And the rollout is aborted, and no pod of 1.0.0 remains
      And prod served 0.9.0 throughout, without a failed request

    @alone
    Example: the Git server is out of reach while a release is promoted
      Given a pipeline without pods
      And Kargo promotes its releases when told to
      And there is Freight of 1.0.0
      When the Git server goes out of reach
      And 1.0.0 is promoted to dev
      Then the promotion ends Errored: error cloning https://git.gitops-e2e.svc.cluster.local
      When the Git server comes back
      Then Git and the cluster have 0.9.0 in dev
      And the next promotion of 1.0.0 to dev succeeds
