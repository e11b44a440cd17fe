Feature: Kargo logs in where a password is asked for
  A Project has its logins in Secrets, whose label kargo.akuity.io/cred-type says for what type of repository they are.
  A Secret is for one repository, by its whole address, or for all in whose address its pattern is found.

  Rule: Only a Secret that is for the image repository lets the Warehouse in

    Scenario Outline: the Warehouse is let in by <Secret>
      Given a project whose stages deploy nothing
      And the Warehouse looks where a password is asked for
      And a Secret of type image has the login for <repoURL>
      When release 1.0.0 is pushed to the registry
      Then there is Freight of 1.0.0, with an alias, and named after what it consists of

      Examples:
        | Secret             | repoURL                                                                    |
        | the whole address  | private-registry.gitops-e2e.svc.cluster.local:5000/{project}/product-api   |
        | a pattern          | the pattern ^private-registry\.[a-z0-9.-]+:5000/p[0-9a-f]{6}/product-api$ |
        | a pattern anywhere | the pattern product-                                                       |

    Scenario Outline: the Warehouse is not let in by <Secret>
      Given a project whose stages deploy nothing
      And the Warehouse looks where a password is asked for
      And a Secret <type> has the login for <repoURL>
      When release 1.0.0 is pushed to the registry
      Then the Warehouse could not look: UNAUTHORIZED: authentication required
      And there is no Freight

      Examples:
        | Secret                      | type           | repoURL                                                                  |
        | the registry's host alone   | of type image  | private-registry.gitops-e2e.svc.cluster.local:5000                       |
        | the address's beginning     | of type image  | private-registry.gitops-e2e.svc.cluster.local:5000/{project}             |
        | the address, without label  | without a type | private-registry.gitops-e2e.svc.cluster.local:5000/{project}/product-api |
        | the address, for Git        | of type git    | private-registry.gitops-e2e.svc.cluster.local:5000/{project}/product-api |
        | a pattern not called one    | of type image  | private-registry.*                                                       |
        | a pattern that is not found | of type image  | the pattern ^product-api                                                 |
        | a pattern that RE2 lacks    | of type image  | the pattern private-registry(?=\.)                                       |

    Example: the registry's right password comes after a wrong one
      Given a project whose stages deploy nothing
      And the Warehouse looks where a password is asked for
      And a Secret of type image has a wrong password for the pattern product-api
      And release 1.0.0 is in the registry, and the Warehouse has looked
      And the Warehouse was refused: UNAUTHORIZED: authentication required
      When the Secret of type image has the login for the pattern product-api
      Then there is Freight of 1.0.0, with an alias, and named after what it consists of

  Rule: Only a Secret that is for the Git repository lets a promotion in

    Scenario Outline: a promotion is let in by <Secret>
      Given a pipeline without pods, whose Git repository asks for a password
      And Kargo promotes its releases when told to
      And there is Freight of 1.0.0
      And a Secret of type git has the login for <repoURL>
      When 1.0.0 is promoted to dev
      Then the promotion succeeds
      And Git has 1.0.0 in dev, by one commit
      And Argo CD carried out one operation for it

      Examples:
        | Secret                       | repoURL                                                          |
        | the address                  | https://git.gitops-e2e.svc.cluster.local/private/{project}.git   |
        | the address, spelt otherwise | HTTPS://Git.gitops-e2e.svc.cluster.local/private/{project}/      |
        | a pattern of addresses       | the pattern ^https://git\.[a-z0-9.-]+/private/                   |

    Example: a promotion is not let in by the host alone
      Given a pipeline without pods, whose Git repository asks for a password
      And Kargo promotes its releases when told to
      And there is Freight of 1.0.0
      And a Secret of type git has the login for https://git.gitops-e2e.svc.cluster.local
      When 1.0.0 is promoted to dev
      Then the promotion ends Errored: fatal: could not read Username for 'https://git.gitops-e2e.svc.cluster.local'
      And Git and the cluster have 0.9.0 in dev

    Example: the Git server's right password comes after a wrong one
      Given a pipeline without pods, whose Git repository asks for a password
      And Kargo promotes its releases when told to
      And there is Freight of 1.0.0
      And a Secret of type git has a wrong password for the pattern /private/
      And 1.0.0 could not be promoted to dev: fatal: Authentication failed for 'https://git.gitops-e2e.svc.cluster.local
      When the Secret of type git has the login for the pattern /private/
      Then the next promotion of 1.0.0 to dev succeeds
      And Git has 1.0.0 in dev, by one commit

  Rule: No login is sent over http, where everyone on the way can read it, unless Kargo's setting allows it

    Example: a promotion over http is not let in
      Given a pipeline without pods, whose Git repository asks for a password
      And Kargo promotes its releases when told to
      And there is Freight of 1.0.0
      And a Secret of type git has the login for the pattern /private/
      When 1.0.0 is promoted to dev, but it clones over http
      Then the promotion ends Errored: fatal: could not read Username for 'http://git.gitops-e2e.svc.cluster.local'
      And Git and the cluster have 0.9.0 in dev
      And the next promotion of 1.0.0 to dev succeeds

    @alone
    Example: a promotion over http is let in where that is allowed
      Given a pipeline without pods, whose Git repository asks for a password
      And Kargo promotes its releases when told to
      And Kargo may send logins over http
      And there is Freight of 1.0.0
      And a Secret of type git has the login for the pattern ^http://.*/private/
      When 1.0.0 is promoted to dev, but it clones over http
      Then the promotion succeeds
      And Git has 1.0.0 in dev, by one commit
      And Argo CD carried out one operation for it
