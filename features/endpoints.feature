Feature: The service's endpoints
  Whoever calls the service in a stage gets the answers that the service promises,
  from the address that the stage is published at.

  Rule: All endpoints answer in every stage

    Scenario Outline: the endpoints of <stage> answer
      Given the demo pipeline
      Then the endpoints of <stage> answer:
        | endpoint        | status | answer                       |
        | /health         | 200    | status is healthy            |
        | /ready          | 200    | status is ready              |
        | /metrics        | 200    | has http_requests_total      |
        | /products       | 200    | count is at least 1          |
        | /products/1     | 200    | id is 1                      |
        | /products/99999 | 404    | error is given               |
        | /products/one   | 400    | error is given               |

      Examples:
        | stage   |
        | dev     |
        | staging |
        | prod    |

  Rule: Products are read from the cache where they can be, and without it where they must

    Example: the second read of the products is a cache hit
      Given the demo pipeline
      When the products of dev are read 12 times
      Then no pod missed its cache more than once, and all other reads were hits
      And Prometheus tells the same hits and misses as the pods

    Example: a pod whose Redis is away turns unready and goes on serving
      Given a pipeline whose dev serves release 0.9.0
      When Redis goes away from one pod of dev
      Then that pod's /ready answers 503, as redis is away
      And Kubernetes takes that pod out of service
      And that pod's /products still answers
      And dev goes on serving through its other pods
