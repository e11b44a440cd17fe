@fault
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

    @long
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

    @long
    Example: a stable pod is evicted while the canary is paused
      Given a pipeline whose dev serves release 0.9.0
      And the canary pauses for 5 seconds
      And the stable service of dev is probed throughout
      When release 1.0.0 is committed to dev
      And the canary of dev is paused at weight 20
      And a stable pod is evicted
      Then the rollout goes on to weight 50 and to the end
      And dev served 0.9.0 and then 1.0.0, without a failed request

    @long
    Example: the release is ready and unready by turns
      Given a pipeline whose dev serves release 0.9.0
      And the canary pauses for 5 seconds
      And release 1.0.0 is ready and unready by turns for 15 seconds
      And the stable service of dev is probed throughout
      When release 1.0.0 is committed to dev
      Then the rollout goes on to weight 50 and to the end
      And pods of the release became unready in between
      And dev served 0.9.0 and then 1.0.0, without a failed request

  Rule: What Git asks for last is what comes about

    @long
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

  Rule: What a tag is, and whether it is there, is the Warehouse's affair; Freight stays what it is

    Example: the tag of a piece of Freight is deleted
      Given a pipeline without pods
      And Kargo promotes its releases when told to
      And there is Freight of 1.0.0
      When the tag of release 1.0.0 is deleted from the registry
      And release 1.1.0 is pushed to the registry
      Then the Warehouse has discovered 1.1.0 alone
      And there is no other Freight than that of 1.0.0, 1.1.0
      When 1.0.0 is promoted to dev
      Then the promotion succeeds
      And Git has 1.0.0 in dev, by one commit

    Example: the tag of a piece of Freight is moved to another image
      Given a project whose stages deploy nothing
      And there is Freight of 1.0.0
      When the tag of release 1.0.0 is moved to another image
      Then there is no other Freight than that of 1.0.0, 1.0.0

  Rule: What becomes of one pipeline is nothing to another on the same cluster

    @long
    Example: two pipelines share a cluster
      Given a pipeline whose dev serves release 0.9.0
      And the stable service of dev is probed throughout
      And another pipeline whose prod serves release 0.9.0
      When release 1.0.0 is rolled back in prod of the other pipeline
      Then the stable ReplicaSet of dev runs 0.9.0
      And dev served 0.9.0 throughout, without a failed request

  Rule: A check that has no measurement decides nothing

    Example: the check's clock is slow
      Given a pipeline whose prod serves release 0.9.0
      And the canary pauses for 5 seconds
      And the analysis of prod asks by a clock that is 10 minutes slow
      And the stable service of prod is probed throughout
      When release 1.0.0 is committed to prod
      Then the analysis of the canary is Inconclusive, as there was no measurement
      And the rollout is paused for a decision, with the canary at weight 20
      And prod served 0.9.0 throughout, without a failed request

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

    @alone @long
    Example: Argo CD is killed while it is to deploy a release
      Given a pipeline whose dev serves release 0.9.0
      And the canary pauses for 5 seconds
      And the stable service of dev is probed throughout
      When release 1.0.0 is committed to dev
      And Argo CD is killed, and comes back
      Then the stable ReplicaSet of dev runs 1.0.0
      And the Application of dev is Synced and Healthy
      And dev served 0.9.0 and then 1.0.0, without a failed request

    @alone @long
    Example: Prometheus is out of reach while the canary in prod is analysed
      Given a pipeline whose prod serves release 0.9.0 without the sidecar
      And the canary pauses for 5 seconds
      And the stable service of prod is probed throughout
      When Prometheus goes out of reach
      And release 1.0.0 is committed to prod
      Then the analysis of the canary ends in Error, as Prometheus cannot be reached
      And the rollout is aborted, and no pod of 1.0.0 remains
      And prod served 0.9.0 throughout, without a failed request
      When Prometheus comes back
      And a person retries the rollout of prod
      Then the stable ReplicaSet of prod runs 1.0.0

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

  Rule: A part of the platform that is slow is waited for, within bounds

    @alone @long
    Example: Prometheus is slow to answer
      Given a pipeline whose prod serves release 0.9.0 without the sidecar
      And the canary pauses for 5 seconds
      And the stable service of prod is probed throughout
      When Prometheus takes 3 seconds to answer
      And release 1.0.0 is committed to prod
      Then each measurement took at least 3 seconds
      And the rollout goes on to weight 50 and to the end
      And prod served 0.9.0 and then 1.0.0, without a failed request

    @alone @long
    Example: Prometheus is slower than the check allows
      Given a pipeline whose prod serves release 0.9.0 without the sidecar
      And the canary pauses for 5 seconds
      And the stable service of prod is probed throughout
      When Prometheus takes 8 seconds to answer
      And release 1.0.0 is committed to prod
      Then the analysis of the canary ends in Error: context deadline exceeded
      And the rollout is aborted, and no pod of 1.0.0 remains
      And prod served 0.9.0 throughout, without a failed request
      When Prometheus answers at once again
      And a person retries the rollout of prod
      Then the stable ReplicaSet of prod runs 1.0.0

    @alone @long
    Example: the Git server is slow to answer
      Given a pipeline without pods
      And Kargo promotes its releases when told to
      And there is Freight of 1.0.0
      When the Git server takes 4 seconds to answer
      And 1.0.0 is promoted to dev
      Then the promotion succeeds, after 4 seconds or more
      And Git has 1.0.0 in dev, by one commit

    @alone @long
    Example: Kargo and Argo CD get no time while a release is promoted
      Given a pipeline without pods
      And Kargo promotes its releases when told to
      And there is Freight of 1.0.0
      When Argo CD gets no time for 45 seconds
      And 1.0.0 is promoted to dev
      And the promotion waits for its sync
      And Kargo gets no time for 30 seconds
      Then the promotion succeeds
      And Git has 1.0.0 in dev, by one commit
      And Argo CD carried out one operation for it

    @alone @long
    Example: Argo Rollouts gets no time while the canary is paused
      Given a pipeline whose dev serves release 0.9.0
      And the canary pauses for 5 seconds
      And the stable service of dev is probed throughout
      When release 1.0.0 is committed to dev
      And the canary of dev is paused at weight 20
      And Argo Rollouts gets no time for 30 seconds
      Then the rollout goes on to weight 50 and to the end
      And dev served 0.9.0 and then 1.0.0, without a failed request

    @alone @long
    Example: Argo CD gets no time while it is to deploy a release
      Given a pipeline whose dev serves release 0.9.0
      And the canary pauses for 5 seconds
      And the stable service of dev is probed throughout
      When Argo CD gets no time for 30 seconds
      And release 1.0.0 is committed to dev
      Then the rollout goes on to weight 50 and to the end
      And the Application of dev is Synced and Healthy
      And dev served 0.9.0 and then 1.0.0, without a failed request

  Rule: What the cluster itself lacks for a while is made up for

    @alone
    Example: the API server is killed while the canary is paused
      Given a pipeline whose dev serves release 0.9.0
      And the canary pauses for 5 seconds
      And the stable service of dev is probed throughout
      When release 1.0.0 is committed to dev
      And the canary of dev is paused at weight 20
      And the API server is killed, and comes back
      Then the rollout goes on to weight 50 and to the end
      And dev served 0.9.0 and then 1.0.0, without a failed request

    @alone @long
    Example: the API server is killed in the middle of a promotion
      Given a pipeline without pods
      And Kargo promotes its releases when told to
      And there is Freight of 1.0.0
      And a promotion of 1.0.0 to dev is held after its step commit
      When the API server is killed, and comes back
      And the promotion goes on
      Then the promotion succeeds
      And Git has 1.0.0 in dev, by one commit
      And Argo CD carried out one operation for it

    @alone @long
    Example: the nodes take no more pods
      Given a pipeline whose dev serves release 0.9.0
      And a canary has 20 seconds to make progress
      And the stable service of dev is probed throughout
      When the nodes take no more pods
      And release 1.0.0 is committed to dev
      Then the rollout is aborted, as it exceeded its progress deadline
      And the timeline of dev tells of a pod: unschedulable
      And the stable ReplicaSet of dev runs 0.9.0
      And dev served 0.9.0 throughout, without a failed request
      When the nodes take pods again
      And a person retries the rollout of dev
      Then the stable ReplicaSet of dev runs 1.0.0
