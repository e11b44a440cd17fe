Feature: The platform
  As a platform engineer
  I want the whole GitOps stack from one command, with real parts whose versions I know
  So that a verdict about a pipeline is a verdict about the software that runs in production.

  Rule: Every component is ready, in the version that it was built as

    Scenario Outline: <component> is ready
      Then <component> is ready, in the version that is pinned for it

      Examples:
        | component     |
        | Kubernetes    |
        | CoreDNS       |
        | cert-manager  |
        | Argo CD       |
        | Argo Rollouts |
        | Prometheus    |
        | registry      |
        | Git server    |
        | Kargo         |

  Rule: Git is read over HTTPS, with a certificate that cert-manager issued

    Example: the Git server's certificate is issued and trusted
      Given the demo pipeline
      Then cert-manager has issued the Git server's certificate
      And a client that trusts the platform's authority reads the pipeline's repository over HTTPS
      And a client that does not trust it is refused
      And Argo CD compares every stage with Git over HTTPS

  Rule: One ApplicationSet deploys every stage

    Example: three stages are deployed from their branches
      Given the demo pipeline
      Then the ApplicationSet yields one Application each for dev, staging and prod
      And every Application is Synced to the head of its stage branch, and Healthy
      And every stage serves release 0.9.0

    Example: each Application follows the branch of its own stage
      Given a pipeline that was made a moment ago
      Then dev, staging and prod are each deployed from their own branch to their own namespace

  Rule: What runs is what Git has, not what somebody did by hand

    @fault
    Example: a Rollout that is scaled by hand is scaled back
      Given a pipeline whose dev serves release 0.9.0
      And the stable service of dev is probed throughout
      When somebody scales the Rollout of dev to 1 pod by hand
      Then Argo CD lets it have 3 pods again, as Git has it
      And dev served 0.9.0 throughout, without a failed request
