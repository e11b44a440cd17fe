Feature: What Prometheus says
  Decisions about a canary are taken on what Prometheus measured.
  So its targets are up, its numbers are the pods' own, and where there is no number it says so.

  Rule: Everything that is measured is scraped

    Example: Prometheus scrapes the kubelet and every pod of the service
      Given the demo pipeline
      Then Prometheus scrapes the kubelet's containers
      And Prometheus scrapes every product-api pod of dev, staging and prod

  Rule: The query that decides in prod measures the canary's own pods

    Example: the memory query gives a value for every canary pod
      Given a pipeline whose prod serves release 0.9.0
      When release 1.0.0 is committed to prod
      And the canary of prod is paused at weight 20
      Then the memory query of prod gives a value for every canary pod, and for no other
      And each value is the memory of the pod's own containers, each counted once

  Rule: No data is not zero

    Example: a query for nothing gives no data
      Then a query for the memory of a pod that does not exist gives no data
      And a query for a number that is zero gives 0

  Rule: The dashboard shows what a canary is judged by

    Example: every query of the dashboard has an answer
      Given a pipeline whose dev serves release 0.9.0
      And the canary and the stable pods of dev are asked for products, 5 times a second each
      When release 1.0.0 is committed to dev
      And the canary of dev is paused at weight 20
      Then every query of the dashboard has an answer about dev, and about the canary where it tells releases apart
