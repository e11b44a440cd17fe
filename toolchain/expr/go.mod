module gitops-e2e/toolchain/expr

go 1.25.5

tool gitops-e2e/toolchain/expr

require (
	github.com/Masterminds/semver/v3 v3.4.0
	github.com/antonmedv/expr v1.15.5
	github.com/expr-lang/expr v1.17.6
	github.com/tidwall/sjson v1.2.5
	github.com/valyala/fasttemplate v1.2.2
	github.com/xeipuuv/gojsonschema v1.2.0
	go.yaml.in/yaml/v3 v3.0.4
)

require (
	github.com/tidwall/gjson v1.14.2 // indirect
	github.com/tidwall/match v1.1.1 // indirect
	github.com/tidwall/pretty v1.2.0 // indirect
	github.com/valyala/bytebufferpool v1.0.0 // indirect
	github.com/xeipuuv/gojsonpointer v0.0.0-20180127040702-4e3ac2762d5f // indirect
	github.com/xeipuuv/gojsonreference v0.0.0-20180127040603-bd5ef7bd5415 // indirect
)
