Feature: A promotion that fails says why, and leaves things as they can be gone on from
  A promotion takes seven steps. The one that cannot be taken ends it, in Kargo's words.
  Up to the push nothing has changed anywhere. After it, Git asks for the release already.

  Rule: A failure before the push changes nothing, and the next good promotion works

    Scenario Outline: before the push, <what is wrong>
      Given a pipeline without pods
      And Kargo promotes its releases when told to
      And there is Freight of 1.0.0
      When 1.0.0 is promoted to dev, but <what is wrong>
      Then the promotion ends Errored: <message>
      And Git and the cluster have 0.9.0 in dev
      And the next promotion of 1.0.0 to dev succeeds

      Examples:
        | what is wrong                     | message                                                                               |
        | the Git repository does not exist | met error threshold of 1: error running step "promote::clone": error cloning https:// |
        | a step lacks configuration        | invalid git-clone config: (root): repoURL is required                                 |
        | a variable is not defined         | invalid git-clear config: path: Invalid type. Expected: string, given: null           |
        | the overlay does not exist        | must build at directory: not a valid directory                                        |
        | a step is of no known kind        | no promotion step runner found for kind "no-such-step"                                |

  Rule: A failure after the push leaves Git ahead of the cluster, until Argo CD looks there

    Scenario Outline: after the push, <what is wrong>
      Given a pipeline without pods
      And Kargo promotes its releases when told to
      And there is Freight of 1.0.0
      When 1.0.0 is promoted to dev, but <what is wrong>
      Then the promotion ends Errored: <message>
      And Git has 1.0.0 in dev, by one commit
      But the stage dev has no Freight
      And Argo CD deploys 1.0.0 to dev all the same, once it looks
      And the next promotion of 1.0.0 to dev succeeds

      Examples:
        | what is wrong                            | message                                     |
        | the Application belongs to another stage | does not permit mutation by Kargo Stage dev |
        | the Application does not exist           | unable to find Argo CD Application          |

  Rule: What somebody else commits in the meantime is kept

    @fault
    Example: a push comes after somebody else's
      Given a pipeline without pods
      And Kargo promotes its releases when told to
      And there is Freight of 1.0.0
      And a promotion of 1.0.0 to dev is held after its step commit
      When somebody else commits to dev, and the promotion goes on
      Then the promotion succeeds
      And Git has the commit of the promotion on top of the other one

  Rule: What main no longer has goes from the stage, too

    Example: an object is taken out of main
      Given a pipeline without pods, but with a ConfigMap notes
      And Kargo promotes its releases when told to
      And there is Freight of 1.0.0
      And the ConfigMap notes is taken out of main
      When 1.0.0 is promoted to dev
      Then the promotion succeeds
      And neither Git nor the cluster has a ConfigMap notes in dev

  Rule: A push that does not come through ends the promotion and changes nothing, and the next good promotion works

    @fault
    Example: somebody else is always faster
      Given a pipeline without pods
      And Kargo promotes its releases when told to
      And there is Freight of 1.0.0
      And somebody else's commit comes to dev before every push
      When 1.0.0 is promoted to dev, but its push may be tried 3 times only
      Then the promotion ends Errored: error pushing commits to remote: error pushing branch: non-fast-forward
      And after 3 commits of somebody else's, Git and the cluster have 0.9.0 in dev
      And once nobody is faster, the next promotion of 1.0.0 to dev succeeds

    @fault
    Example: the Git server takes no push
      Given a pipeline without pods
      And Kargo promotes its releases when told to
      And there is Freight of 1.0.0
      And the Git server takes no push to dev
      When 1.0.0 is promoted to dev
      Then the promotion ends Errored: ! [remote rejected] HEAD -> stage/dev (pre-receive hook declined)
      And Git and the cluster have 0.9.0 in dev
      And once the Git server takes pushes again, the next promotion of 1.0.0 to dev succeeds

  Rule: Where there is nothing to change, nothing is committed

    Example: the same Freight is promoted again
      Given a pipeline without pods
      And Kargo promotes its releases when told to
      And 1.0.0 was promoted to dev
      When 1.0.0 is promoted to dev again
      Then the promotion succeeds, with nothing to do for its step commit
      And Git has 1.0.0 in dev, by one commit
