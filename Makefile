# Everything happens inside this folder; nothing here needs root or Docker.
# すべてこのフォルダの中だけで動きます。root 権限も Docker も要りません。

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help setup setup-dev demo test check format documents bench kill-test browser-test fuzz lock clean

VENV := .venv
BIN := $(VENV)/bin
LOCK := $(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --group build \
	--generate-hashes --no-annotate --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"
ARGS :=
NEWMAN := tests/clients/newman
export PYTHON

# An environment that was moved or copied is made anew.
ifneq ($(shell cat $(VENV)/.place 2>/dev/null || pwd -P),$(shell pwd -P))
$(VENV)/.ready $(VENV)/.ready-dev: FORCE
endif
FORCE:

help: ## Tell what can be made / この一覧を表示する
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo '  ARGS is handed on:  make demo ARGS="--port 9000"    make test ARGS="tests/house -k lock"'

setup: $(VENV)/.ready ## Install what the server needs into .venv / 実行環境を .venv に導入する
	@:

setup-dev: $(VENV)/.ready-dev $(NEWMAN)/.ready ## Install the developers' tools, too / 開発用の道具も導入する
	@:

demo: setup ## Import a synthetic hospital and serve it on 127.0.0.1 (Ctrl-C ends) / 架空病院のデモを起動する
	@exec $(BIN)/tsunagi demo $(ARGS)

test: setup-dev ## Run every test against a real MongoDB / 本物の MongoDB で全テストを実行する
	@exec $(BIN)/python -m pytest -n auto --maxprocesses 4 --dist worksteal $(ARGS)

check: setup-dev ## Format, lint, types, import contracts, the rules of the house / 書式・型・依存の検査
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest tests/house

format: setup-dev ## Format the code and mend what can be mended / コードを整形する
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

documents: setup ## Write what is generated anew: settings, OpenAPI, consent matrix / 生成される文書を更新する
	$(BIN)/tsunagi settings --markdown > docs/settings.md
	$(BIN)/tsunagi openapi --output openapi/openapi.json
	$(BIN)/python -m tests.clients.postman
	$(BIN)/python -m tests.access.leaks.document

bench: setup ## Measure what this machine gives / この計算機の性能を測る
	$(BIN)/python bench/floor.py
	$(BIN)/python bench/hospital.py --out var/hospital.json $(ARGS)

kill-test: setup-dev ## Kill imports with -9 at random moments, for 5 minutes / 取り込み中の強制終了を試す (最長 5 分)
	@exec $(BIN)/python -m tests.ssmix2.kill_marathon $(ARGS)

browser-test: setup-dev ## Put a token into the Swagger page in Chromium / Swagger の画面をブラウザで試す
	@exec $(BIN)/python -m tests.clients.swagger_page $(ARGS)

fuzz: setup-dev ## Ask the server whatever the OpenAPI document allows, for 10 minutes / OpenAPI に基づくファズテスト (10 分)
	@TSUNAGI_FUZZ_SECONDS=600 exec $(BIN)/python -m pytest -s tests/clients/test_schemathesis.py $(ARGS)

lock: setup-dev ## Write the lock files anew; ARGS=--upgrade for newer versions / ロックファイルを更新する
	$(LOCK) --extra embedded --extra dev $(ARGS) --output-file requirements-dev.lock
	$(LOCK) --extra embedded --constraint requirements-dev.lock --output-file requirements.lock
	$(LOCK) --constraint requirements-dev.lock --output-file requirements-server.lock

clean: ## Remove what can be made again; never ./var, where the data is / 再作成できるものだけを消す (データ ./var は残す)
	rm -rf $(NEWMAN)/node_modules $(NEWMAN)/.ready
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.ready: requirements.lock pyproject.toml .ci/setup
	@.ci/setup requirements.lock
	@touch $@

$(VENV)/.ready-dev: requirements-dev.lock pyproject.toml .ci/setup
	@.ci/setup requirements-dev.lock
	@touch $(VENV)/.ready $@

# A machine without Node.js can do everything but run the Postman collection; the test says so.
$(NEWMAN)/.ready: $(NEWMAN)/package.json $(NEWMAN)/package-lock.json
	@if command -v npm >/dev/null; then echo 'Installing newman into $(NEWMAN) / newman を導入します'; \
		npm ci --prefix $(NEWMAN) --ignore-scripts --no-audit --no-fund --loglevel error && touch $@ || \
		echo 'newman could not be installed: the Postman collection is not run / newman を導入できませんでした'; \
	else echo 'No npm here: the Postman collection is not run / npm がないため Postman コレクションは実行しません'; fi
