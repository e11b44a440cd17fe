Feature: A canary is judged by what its users see, or by somebody's leave
  Each stage selects the analysis that judges its canary: by the answers of its pods, by their memory,
  by the share of requests that succeed, by the time they take, or by a service that is asked for approval.

  Rule: A canary fails too many requests, and is taken back

    Example: a canary that answers its users goes through
      Given a pipeline whose dev serves release 0.9.0
      And the canary pauses for 5 seconds
      And the canary of dev is judged by its success-rate
      And the canary and the stable pods of dev are asked for products, 10 times a second each
      When release 1.0.0 is committed to dev
      Then the analysis of the canary is Successful
      And the stable ReplicaSet of dev runs 1.0.0

    Example: a canary that fails one request in ten is taken back
      Given a pipeline whose dev serves release 0.9.0
      And the canary pauses for 5 seconds
      And the canary of dev is judged by its success-rate
      And beside it is recorded what a check of both releases together says
      And beside it is recorded what a check over one second says
      And the canary and the stable pods of dev are asked for products, 20 times a second each
      And release 1.0.0 fails 10 of 100 requests for products
      When release 1.0.0 is committed to dev
      Then the analysis fails, as the success-rate was below 95
      And a check of both releases together would have let the canary through
      And a check over one second would have let the canary through
      And the rollout is aborted, and no pod of 1.0.0 remains
      And the stable ReplicaSet of dev runs 0.9.0

    @long
    Example: a canary that fails every request is taken back
      Given a pipeline whose dev serves release 0.9.0
      And the canary pauses for 5 seconds
      And the canary of dev is judged by its success-rate
      And beside it is recorded what a check that has no number where nothing succeeds says
      And the canary and the stable pods of dev are asked for products, 10 times a second each
      And release 1.0.0 fails 100 of 100 requests for products
      When release 1.0.0 is committed to dev
      Then the analysis fails, as the success-rate was below 1
      And a check that has no number where nothing succeeds would have let the canary through
      And the stable ReplicaSet of dev runs 0.9.0

    Example: a canary that nobody asks is neither good nor bad
      Given a pipeline whose dev serves release 0.9.0
      And the canary pauses for 5 seconds
      And the canary of dev is judged by its success-rate
      And beside it is recorded what a check of every request, the kubelet's too says
      When release 1.0.0 is committed to dev
      Then the analysis of the canary is Inconclusive, as there was no measurement
      And a check of every request, the kubelet's too would have let the canary through
      And the rollout is paused for a decision, with the canary at weight 20
      And the stable ReplicaSet of dev runs 0.9.0

    @long
    Example: a canary that nobody asks any more is neither good nor bad
      Given a pipeline whose dev serves release 0.9.0
      And the canary of dev is judged by its success-rate
      And beside it is recorded what a check that takes for good what is not too low says
      When release 1.0.0 is committed to dev
      And each canary pod of dev is asked for products, once
      Then the analysis of the canary is Inconclusive, as there was no measurement
      And a check that takes for good what is not too low would have let the canary through
      And the stable ReplicaSet of dev runs 0.9.0

  Rule: A canary lets its users wait, and is taken back

    Example: a canary that answers at once goes through
      Given a pipeline whose dev serves release 0.9.0
      And the canary pauses for 5 seconds
      And the canary of dev is judged by its latency
      And the canary and the stable pods of dev are asked for products, 10 times a second each
      When release 1.0.0 is committed to dev
      Then the analysis of the canary is Successful
      And the stable ReplicaSet of dev runs 1.0.0

    Example: a canary that takes 800 ms is taken back
      Given a pipeline whose dev serves release 0.9.0
      And the canary pauses for 5 seconds
      And the canary of dev is judged by its latency
      And the canary and the stable pods of dev are asked for products, 10 times a second each
      And release 1.0.0 takes 800 ms for a request for products
      When release 1.0.0 is committed to dev
      Then the analysis fails, as the latency was above 0.5
      And the rollout is aborted, and no pod of 1.0.0 remains
      And the stable ReplicaSet of dev runs 0.9.0

  Rule: A canary needs somebody's leave, and goes no further without

    Example: a canary that is approved goes through
      Given a pipeline whose dev serves release 0.9.0
      And the canary pauses for 5 seconds
      And the canary of dev is judged by its approval
      And an approval service of dev approves at once
      When release 1.0.0 is committed to dev
      Then the analysis of the canary is Successful
      And the stable ReplicaSet of dev runs 1.0.0

    Example: a canary that is declined is taken back
      Given a pipeline whose dev serves release 0.9.0
      And the canary pauses for 5 seconds
      And the canary of dev is judged by its approval
      And an approval service of dev declines always
      When release 1.0.0 is committed to dev
      Then the analysis of the canary fails by its metric approval
      And the rollout is aborted, and no pod of 1.0.0 remains
      And the stable ReplicaSet of dev runs 0.9.0

    Example: who asks with a wrong token is told nothing, and nothing is released
      Given a pipeline whose dev serves release 0.9.0
      And the canary pauses for 5 seconds
      And the canary of dev is judged by its approval
      And an approval service of dev knows another token
      When release 1.0.0 is committed to dev
      Then the analysis of the canary ends in Error: 401
      And the rollout is aborted, and no pod of 1.0.0 remains
      And the stable ReplicaSet of dev runs 0.9.0

  Rule: How strict an analysis is, and when it is made, is the stage's to say

    @long
    Example: a failure that is forgiven
      Given a pipeline whose dev serves release 0.9.0
      And the canary pauses for 5 seconds
      And the canary of dev is judged by its approval
      And the approval is asked for 3 times, and 1 failure is forgiven
      And an approval service of dev declines once
      When release 1.0.0 is committed to dev
      Then the analysis of the canary is Successful
      And approval failed 1 time and succeeded 2 times
      And the stable ReplicaSet of dev runs 1.0.0

    @long
    Example: errors that do not follow each other are forgiven
      Given a pipeline whose dev serves release 0.9.0
      And the canary pauses for 5 seconds
      And release 1.0.0 fails 50 of 100 requests for products
      When release 1.0.0 is committed to dev
      Then the analysis of the canary is Successful
      And products could not be measured at least 2 times
      And the stable ReplicaSet of dev runs 1.0.0

    @long
    Example: what is only recorded decides nothing
      Given a pipeline whose dev serves release 0.9.0
      And the canary pauses for 5 seconds
      And health is only recorded
      And release 1.0.0 says that it is unhealthy
      When release 1.0.0 is committed to dev
      Then the analysis of the canary is Successful
      And it is recorded that health failed
      And the stable ReplicaSet of dev runs 1.0.0

    Example: a canary that is analysed from its first pod on does not get to the end of its pause
      Given a pipeline whose dev serves release 0.9.0
      And the canary of dev is analysed from its first pod on
      And release 1.0.0 says that it is unhealthy
      When release 1.0.0 is committed to dev
      Then the analysis of the canary fails by its metric health
      And the rollout is aborted before its analysis at weight 20 began
      And the stable ReplicaSet of dev runs 0.9.0
