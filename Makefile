# One makefile for the whole tree; `make help` lists what it can do.
# Programs, objects and generated files go to build/ (B); V=1 shows the commands.
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules --no-builtin-variables
SHELL := /bin/sh

B := build
V := 0
Q := $(if $(filter 0,$(V)),@)
IS_SILENT := $(findstring s,$(filter-out --%,$(firstword -$(MAKEFLAGS))))
say = $(if $(filter 0,$(V)$(IS_SILENT)),@printf '%-7s %s\n' '$(1)' '$(2)')

# ---- set-up: autoconf and configure, when their inputs changed ----

# These targets need nothing configured.
ifneq ($(filter-out help clean distclean deps format,$(or $(MAKECMDGOALS),all)),)
include config.mk
endif

# deps(PARTS): installs what is missing, where that is ours to do.
deps = @! command -v dpkg-query >/dev/null || tools/deps --quiet $(1)
# check, demo and bench do the whole set-up; a plain make tells what is missing.
setup_build = $(if $(filter setup check demo graphs attack bench bench-attacks,$(MAKECMDGOALS)),$(call deps,build))

configure: configure.ac
	$(setup_build)
	$(call say,CONF,$@)
	$(Q)for tool in pkg-config autoconf; do \
		$$tool --version >/dev/null 2>&1 || \
			{ echo "$$tool is missing: run tools/deps build" >&2; exit 1; }; \
	done
	$(Q)macros=$$(pkg-config --variable=prefix pkg-config 2>/dev/null)/share/aclocal; \
		[ -f "$$macros/pkg.m4" ] || macros=/usr/share/aclocal; \
		autoheader -f -I "$$macros" && autoconf -f -I "$$macros"

config.mk: configure config.mk.in
	$(setup_build)
	$(call say,CONF,$@)
	$(Q)if [ -x config.status ]; then \
		./config.status --recheck --quiet >/dev/null && ./config.status --quiet; \
	else ./configure --quiet; fi
	$(Q)touch $@

# ---- flags ----

WARNINGS := -Wall -Wextra -Wshadow -Wvla -Wmissing-prototypes -Wstrict-prototypes \
	-Wconversion -Wnull-dereference
OPT := -O2 -g
HARDEN := -fstack-protector-strong -D_FORTIFY_SOURCE=2
SANITIZE :=
# The daemon alone is optimised as a whole (a miss costs it 7 to 9 % less); whoever links it many times a
# day says LTO= to make, or --disable-lto to configure.
LTO = $(if $(SANITIZE)$(filter-out $(LTO_CC),$(CC)),,$(LTO_FLAGS))
# Headers of libraries are not ours to warn about.
LIB_CFLAGS = $(patsubst -I%,-isystem %,$(sort $(filter-out -pthread,\
	$(UV_CFLAGS) $(LDNS_CFLAGS) $(CRYPTO_CFLAGS) $(JANSSON_CFLAGS) $(YAML_CFLAGS) $(CHECK_CFLAGS) $(LUA_CFLAGS) $(PSL_CFLAGS) $(FSTRM_CFLAGS) $(MHD_CFLAGS) \
	$(RRD_CFLAGS))))
ALL_CFLAGS = -std=gnu11 -D_GNU_SOURCE -I. -I$(B) $(CONFIGURED_CPPFLAGS) $(CPPFLAGS) \
	$(WARNINGS) $(if $(WERROR),-Werror) $(OPT) $(HARDEN) -fPIE -pthread $(SANITIZE) \
	$(LIB_CFLAGS) $(LTO_COMPILE) $(CONFIGURED_CFLAGS) $(CFLAGS)
ALL_LDFLAGS = -pie -pthread -Wl,-z,relro,-z,now -Wl,--as-needed $(SANITIZE) \
	$(CONFIGURED_LDFLAGS) $(LDFLAGS)
BASE_LIBS = $(UV_LIBS) $(LDNS_LIBS) $(CRYPTO_LIBS) $(JANSSON_LIBS) $(YAML_LIBS) $(PSL_LIBS) $(FSTRM_LIBS) $(LUA_LIBS) $(MHD_LIBS) -lm

# The commands that do everything use all processors, unless they were told how many.
JOBS = $(if $(filter -j% --jobserver%,$(MAKEFLAGS)),,-j$(shell nproc 2>/dev/null || echo 1))

# ---- what is built from what ----

ROOMS := common recursor recursor/settings recursor/files recursor/host recursor/resolve \
	recursor/resolve/dnssec recursor/net recursor/policy recursor/policy/lua recursor/watch \
	recursor/watch/web
MAIN_SRC := recursor/main.c
LIB_SRC := $(filter-out $(MAIN_SRC),$(wildcard $(ROOMS:%=%/*.c)))
CTL_SRC := $(wildcard tools/rec_control*.c tools/rec_control/*.c)
LAB_SRC := $(if $(wildcard tools/lab/main.c),$(wildcard tools/lab/*.c))
GRAPHS_FEED_SRC := $(wildcard tools/graphs/feed*.c)
GRAPHS_SRC := $(if $(GRAPHS),$(filter-out $(GRAPHS_FEED_SRC),$(wildcard tools/graphs/*.c)))
GRAPHS_PROGRAMS := graphs-feed $(if $(GRAPHS_SRC),graphs)
# What needs no library, so that the unit tests and the fuzzer reach it.
GRAPHS_PURE := tools/graphs/line.c tools/graphs/kinds.c tools/graphs/boards.c tools/graphs/feed_host.c
BENCH_SRC := $(wildcard tools/bench/floor_*.c)
UNIT_SRC := $(wildcard tests/unit/*.c)
# Signs zones, for whoever tests what validates them.
SIGNER_SRC := $(wildcard tests/signer/*.c)
SIM_SRC := $(wildcard tests/sim/*.c) $(SIGNER_SRC) tools/lab/zone.c
SOAK_SRC := $(wildcard tests/soak/*.c) $(SIGNER_SRC) tests/sim/network.c tests/sim/story.c
FLOOD_SRC := $(wildcard tests/flood/*.c) tests/sim/network.c tests/soak/course.c
OOM_SRC := $(wildcard tests/oom/*.c) tests/unit/fake_env.c tests/unit/api_call.c $(filter-out tests/soak/main.c,$(SOAK_SRC))
FUZZ_DRIVER := tests/fuzz/replay.c
FUZZ_SRC := $(filter-out $(FUZZ_DRIVER),$(wildcard tests/fuzz/*.c))
FUZZ_NAMES := $(FUZZ_SRC:tests/fuzz/%.c=%)

obj = $(patsubst %.c,$(B)/obj/%.o,$(1))
LIB := $(B)/librecursor.a

PROGRAMS := $(if $(wildcard $(MAIN_SRC)),$(B)/recursor) $(if $(CTL_SRC),$(B)/rec_control) \
	$(if $(LAB_SRC),$(B)/lab) $(GRAPHS_PROGRAMS:%=$(B)/%)
# A page is made by the programs that it tells of.
MAN_PAGES := $(patsubst %,$(B)/%,$(filter-out $(if $(GRAPHS_SRC),,man/recursor-graphs.1),$(wildcard man/*.[1-8])))
TESTS := $(B)/tests/unit $(B)/tests/sim $(B)/tests/soak $(B)/tests/flood $(B)/tests/oom
FLOORS := $(BENCH_SRC:tools/bench/%.c=$(B)/bench/%)
REPLAYS := $(FUZZ_NAMES:%=$(B)/fuzz/%-replay)

.PHONY: all tests
all: $(PROGRAMS) $(MAN_PAGES) ## the daemon, rec_control and the lab (the default)
tests: $(TESTS) $(REPLAYS) ## the test programs, without running them

$(B)/recursor: $(call obj,$(MAIN_SRC)) $(LIB)
$(B)/rec_control: $(call obj,$(CTL_SRC)) $(LIB)
$(B)/lab: $(call obj,$(LAB_SRC)) $(LIB)
$(B)/graphs: $(call obj,$(GRAPHS_SRC)) $(LIB)
$(B)/graphs-feed: $(call obj,$(GRAPHS_FEED_SRC)) $(LIB)
$(B)/tests/unit: $(call obj,$(UNIT_SRC) $(SIGNER_SRC) tests/sim/network.c tests/sim/scenario.c tools/lab/zone.c tools/rec_control/watch_data.c tools/rec_control/talk.c $(GRAPHS_PURE)) $(LIB)
$(B)/tests/sim: $(call obj,$(SIM_SRC)) $(LIB)
$(B)/tests/soak: $(call obj,$(SOAK_SRC) tests/oom/alloc.c) $(B)/oom.a
$(B)/tests/flood: $(call obj,$(FLOOD_SRC)) $(LIB)
$(B)/tests/oom: $(call obj,$(OOM_SRC)) $(B)/oom.a
$(FLOORS): $(B)/bench/%: $(B)/obj/tools/bench/%.o
$(B)/fuzz/fuzz_command-replay: $(call obj,tests/unit/fake_env.c)
$(B)/fuzz/fuzz_api-replay: $(call obj,tests/unit/fake_env.c tests/unit/api_call.c)
$(B)/fuzz/fuzz_graphs-replay: $(call obj,tools/graphs/line.c)
$(REPLAYS): $(B)/fuzz/%-replay: $(B)/obj/tests/fuzz/%.o $(call obj,$(FUZZ_DRIVER)) $(LIB)

$(B)/rec_control: LIBS = $(BASE_LIBS) $(NCURSES_LIBS)
$(B)/recursor $(B)/tests/sim $(B)/tests/soak $(B)/tests/flood $(REPLAYS): LIBS = $(BASE_LIBS)
$(B)/lab $(B)/graphs-feed: LIBS = $(BASE_LIBS)
$(FLOORS): LIBS = $(CRYPTO_LIBS)
$(B)/graphs: LIBS = $(BASE_LIBS) $(RRD_LIBS)
$(B)/tests/unit $(B)/tests/oom: LIBS = $(BASE_LIBS) $(CHECK_LIBS)

LTO_LINK = $(if $(LTO),-fno-lto)
$(B)/recursor: private LTO_LINK = $(if $(WERROR),-Werror) $(OPT) $(LTO) $(CONFIGURED_CFLAGS) $(CFLAGS)
$(call obj,$(MAIN_SRC) $(LIB_SRC)): private LTO_COMPILE = $(LTO)

# Whatever order the rules name them in: the linker takes from a library what is missing so far.
objects_first = $(filter-out %.a,$^) $(filter %.a,$^)
$(B)/recursor $(B)/rec_control $(B)/lab $(B)/graphs $(B)/graphs-feed $(TESTS) $(FLOORS) $(REPLAYS):
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) $(LTO_LINK) -o $@ $(objects_first) $(LIBS)

# A page's line `.\" @program arguments@` becomes what the program prints: lists come from tables.
$(MAN_PAGES): $(B)/man/%: man/% $(PROGRAMS)
	$(call say,MAN,$@)
	@mkdir -p $(@D)
	$(Q)awk '/^\.\\" @.*@$$/ { \
		c = "$(B)/" substr($$0, 6, length($$0) - 6); \
		while ((c | getline line) > 0) print line; \
		if (close(c) != 0) exit 1; \
		next } 1' $< >$@

$(LIB): $(call obj,$(LIB_SRC)) $(B)/sources
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $(filter %.o,$^)

# The library with its allocations in the hands of tests/oom/alloc.c: they fail (oom), or are counted (soak).
OOM_CALLS := malloc calloc realloc aligned_alloc free strdup strndup asprintf open_memstream mmap mremap munmap
$(B)/oom.a: $(LIB) Makefile
	$(call say,OOM,$@)
	$(Q)objcopy $(foreach f,$(OOM_CALLS),--redefine-sym $f=oom_$f) \
		--redefine-sym __asprintf_chk=oom_asprintf_chk $< $@

$(B)/obj/%.o: %.c $(B)/flags | config.mk
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# main.c and libFuzzer call them by name: a header of their own would say nothing.  Private:
# what these objects depend on, build/flags above all, is not to see it.
$(call obj,$(UNIT_SRC) $(FUZZ_SRC)) $(patsubst %.c,$(B)/tidy/%.ok,$(UNIT_SRC) $(FUZZ_SRC)): \
	private WARNINGS += -Wno-missing-prototypes

-include $(shell [ -d $(B)/obj ] && find $(B)/obj -name '*.d')

# The list of suites is made from the names of the files: to add tests/unit/test_x.c is
# enough to have suite_x() run.
$(call obj,tests/unit/main.c): $(B)/gen/suites.h
$(B)/gen/suites.h: $(B)/sources Makefile
	@mkdir -p $(@D)
	@printf '/* Made by the Makefile. */\n#define SUITES(X)' > $@
	@for s in $(sort $(patsubst tests/unit/test_%.c,%,$(filter tests/unit/test_%.c,$(UNIT_SRC)))); do \
		printf ' \\\n\tX(%s)' $$s; done >> $@; echo >> $@

# The live page is in the binary: recursor/web/ and dygraphs, where the package manager has put it.
ASSETS := $(wildcard $(addprefix recursor/web/*.,html js css svg)) \
	$(addprefix $(DYGRAPHS_DIR)/,dygraph.min.js dygraph.min.css)
$(call obj,recursor/watch/web/asset.c): $(B)/gen/assets.h
$(B)/gen/assets.h: $(ASSETS) tools/embed $(B)/sources
	$(call say,EMBED,$@)
	@mkdir -p $(@D)
	$(Q)tools/embed $(ASSETS) >$@

GRAPHS_ASSETS := $(wildcard $(addprefix tools/graphs/web/*.,html js css svg)) $(filter $(DYGRAPHS_DIR)/%,$(ASSETS))
$(call obj,tools/graphs/web.c): $(B)/gen/graphs_assets.h
$(B)/gen/graphs_assets.h: $(GRAPHS_ASSETS) tools/embed $(B)/sources
	$(call say,EMBED,$@)
	@mkdir -p $(@D)
	$(Q)tools/embed $(GRAPHS_ASSETS) >$@

# Written only when their content changes: other flags or other files are a reason to rebuild.
keep_if_same = mkdir -p $(@D); printf '%s\n' '$(1)' | cmp -s - $@ || printf '%s\n' '$(1)' > $@
.PHONY: FORCE
FORCE:
$(B)/flags: FORCE
	@$(call keep_if_same,$(CC) $(subst ','\'',$(ALL_CFLAGS) $(ALL_LDFLAGS) $(LTO)))
$(B)/sources: FORCE
	@$(call keep_if_same,$(LIB_SRC) $(UNIT_SRC) $(ASSETS) $(GRAPHS_ASSETS))

# ---- tests ----

.PHONY: check unit sim soak flood oom live scenarios sanitize tsan fuzz
setup:
	$(call deps,build test)
.PHONY: setup

check: setup ## set up, build and run every test; closes with the totals
	@$(MAKE) $(JOBS) --no-print-directory all tests
	@tests/run $(B)

unit: $(B)/tests/unit ## the unit tests; SUITES="name cache" for some of them
	@$(B)/tests/unit $(SUITES)

sim: $(B)/tests/sim ## our own scenarios on the simulated network
	@$(B)/tests/sim --strict tests/sim/scenarios

SEEDS := 10000
soak: $(B)/tests/soak ## SEEDS random small Internets with random faults, from SEED on; SOAK_JOBS side by side
	@$(B)/tests/soak --jobs $(or $(SOAK_JOBS),$(shell nproc)) --seeds $(SEEDS) $(SEED:%=--seed %)

flood: $(B)/tests/flood ## SEEDS random floods against one domain among ordinary traffic, from SEED on
	@$(B)/tests/flood --jobs $(or $(SOAK_JOBS),$(shell nproc)) --seeds $(SEEDS) $(SEED:%=--seed %)

oom: $(B)/tests/oom ## each allocation fails in turn, in the cases and in SEEDS seeds of the soak
	@$(B)/tests/oom --jobs $(or $(SOAK_JOBS),$(shell nproc))
	@$(B)/tests/oom --jobs $(or $(SOAK_JOBS),$(shell nproc)) --seed 1001 --seeds $(SEEDS)

# Those that resolvers share (Unbound's testbound, Deckard), where they are beside the tree; but for what
# offends a rule.
SCENARIOS = $(firstword $(wildcard ../shared/scenarios/resolver ../../shared/scenarios/resolver))
scenarios: $(B)/tests/sim ## the scenarios of others, in SCENARIOS=dir
	@$(B)/tests/sim --foreign --skip-file tests/sim/offending \
		$(or $(SCENARIOS),$(error say where they are: make scenarios SCENARIOS=dir))

inflight: all ## INFLIGHT=100000 questions to silent servers at once: what each takes, who else is served
	@INFLIGHT='$(or $(INFLIGHT),100000)' tests/live/run $(B) inflight_silent
.PHONY: inflight

live: all ## the daemon against real authorities and clients
	@tests/run $(B) live

judges: all ## ZONES (1000) generated zones: unbound-host, delv and drill have to find what we find; SEED, ONLY="7 12"
	@tests/live/run -t $(B) judges_agree
.PHONY: judges

browser: all ## the live page in Chromium, with real traffic; ONLY="login filter" for some; leaves screenshots
	@tests/browser/run $(B)
screenshot: all ## the picture of the live page that README.md shows
	@ONLY=defender SCREENSHOT=$(CURDIR)/recursor/web/screenshot.png tests/browser/run $(B)
.PHONY: browser screenshot

torture: all ## live tests that take minutes: TORTURES="diversion ..." for some of them; SECONDS
	@SECONDS='$(or $(SECONDS),600)' tests/live/run -t $(B) $(TORTURES)
torture-lua: ## SECONDS (60) of scripts that come and go under load, with the address and the thread sanitizer
	$(VARIANT) B=$(B)/sanitize CPPFLAGS='$(CPPFLAGS) -DDEBUG_CHECKS' \
		SANITIZE='-fsanitize=address,undefined -fno-sanitize-recover=all' all
	@ASAN_OPTIONS=abort_on_error=1:detect_stack_use_after_return=1 UBSAN_OPTIONS=print_stacktrace=1 \
		SECONDS='$(or $(SECONDS),60)' tests/live/run -t $(B)/sanitize torture_lua
	$(VARIANT) B=$(B)/tsan CPPFLAGS='$(CPPFLAGS) -DDEBUG_CHECKS' \
		SANITIZE=-fsanitize=thread all
	@SECONDS='$(or $(SECONDS),60)' tests/live/run -t $(B)/tsan torture_lua
torture-cachefile: all ## a million entries loaded from cache-file while queries are answered
	@tests/live/run -t $(B) torture_cachefile
torture-memory: all ## ten minutes (SECONDS=600) of a flood of names against a small max-cache-memory
	@SECONDS='$(or $(SECONDS),600)' tests/live/run -t $(B) torture_memory
torture-root-copy: all ## what a copy of a root of its real size takes: time, memory, a worker's turn
	@tests/live/run -t $(B) torture_root_copy
torture-ipset: $(B)/tests/unit ## ten million addresses in a set, against the process's memory
	@IPSET_MILLIONS=10 $(B)/tests/unit ipset
.PHONY: torture torture-lua torture-cachefile torture-ipset torture-memory torture-root-copy

VARIANT = @$(MAKE) $(JOBS) --no-print-directory WERROR= HARDEN= OPT='-O1 -g -fno-omit-frame-pointer'

# 1: who uses a stack frame that has ended is told; it takes as long again.
STACK_CHECKS := 1
sanitize: ## the tests with the address and undefined-behaviour sanitizers
	$(VARIANT) B=$(B)/sanitize CPPFLAGS='$(CPPFLAGS) -DDEBUG_CHECKS' \
		SANITIZE='-fsanitize=address,undefined -fno-sanitize-recover=all' all tests
	@ASAN_OPTIONS=abort_on_error=1:detect_stack_use_after_return=$(STACK_CHECKS) \
		UBSAN_OPTIONS=print_stacktrace=1 CK_TIMEOUT_MULTIPLIER=4 tests/run $(B)/sanitize unit fuzz sim soak flood live

tsan: ## unit and live with the thread sanitizer
	$(VARIANT) B=$(B)/tsan CPPFLAGS='$(CPPFLAGS) -DDEBUG_CHECKS' \
		SANITIZE=-fsanitize=thread all tests
	@CK_TIMEOUT_MULTIPLIER=10 tests/run $(B)/tsan unit live

# Traffic, garbage, faults and commands at once, with each of the sanitizers looking on.
torture-sanitized: ## SECONDS (60) of load on a build with the address, and one with the thread sanitizer
	$(VARIANT) B=$(B)/sanitize CPPFLAGS='$(CPPFLAGS) -DDEBUG_CHECKS' \
		SANITIZE='-fsanitize=address,undefined -fno-sanitize-recover=all' all
	@ASAN_OPTIONS=abort_on_error=1:detect_stack_use_after_return=1 UBSAN_OPTIONS=print_stacktrace=1 \
		SECONDS='$(or $(SECONDS),60)' tests/live/run -t $(B)/sanitize torture_load
	$(VARIANT) B=$(B)/tsan CPPFLAGS='$(CPPFLAGS) -DDEBUG_CHECKS' \
		SANITIZE=-fsanitize=thread all
	@SECONDS='$(or $(SECONDS),60)' tests/live/run -t $(B)/tsan torture_load

MEMCHECK := valgrind --quiet --error-exitcode=99 --leak-check=full --show-leak-kinds=definite,possible \
	--errors-for-leak-kinds=definite --suppressions=$(CURDIR)/tests/memcheck
VALGRIND_SEEDS := 60
valgrind: all tests ## unit (or SUITES), sim, some seeds of the soak and SECONDS (20) of load under memcheck; half an hour
	@CK_TIMEOUT_MULTIPLIER=30 CK_EXCLUDE_TAGS='process time' UNIT_SUITES='$(SUITES)' UNIT_WRAPPER='$(MEMCHECK)' \
		tests/run $(B) unit
	@$(MEMCHECK) $(B)/tests/sim --strict tests/sim/scenarios
	@$(MEMCHECK) $(B)/tests/soak --jobs 0 --seeds $(VALGRIND_SEEDS)
	@LOAD_WRAPPER='$(MEMCHECK)' SECONDS='$(or $(SECONDS),20)' tests/live/run -t $(B) torture_load
.PHONY: torture-sanitized valgrind

# What libFuzzer finds goes to build/fuzz/found; a find that is understood is copied to the
# corpus, smallest form, with the repair.
FUZZ_SECONDS := 60
FUZZ_B := $(B)/libfuzzer
fuzz: ## run libFuzzer for FUZZ_SECONDS on each target
	$(VARIANT) B=$(FUZZ_B) CC=clang CPPFLAGS='$(CPPFLAGS) -DDEBUG_CHECKS' \
		SANITIZE='-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all' \
		fuzzers
	@for t in $(FUZZ_NAMES); do \
		echo "FUZZ    $$t"; \
		mkdir -p $(B)/fuzz/grown/$$t $(B)/fuzz/found; \
		$(FUZZ_B)/fuzz/$$t -max_total_time=$(FUZZ_SECONDS) -timeout=10 \
			-artifact_prefix=$(B)/fuzz/found/$$t- $(B)/fuzz/grown/$$t \
			tests/fuzz/corpus/$$t >$(B)/fuzz/$$t.log 2>&1 || \
			{ tail -n 50 $(B)/fuzz/$$t.log; exit 1; }; \
		tail -n 1 $(B)/fuzz/$$t.log; \
	done

FUZZERS := $(FUZZ_NAMES:%=$(B)/fuzz/%)
.PHONY: fuzzers
fuzzers: $(FUZZERS)
$(B)/fuzz/fuzz_command: $(call obj,tests/unit/fake_env.c)
$(B)/fuzz/fuzz_api: $(call obj,tests/unit/fake_env.c tests/unit/api_call.c)
$(B)/fuzz/fuzz_graphs: $(call obj,tools/graphs/line.c)
$(FUZZERS): $(B)/fuzz/%: $(B)/obj/tests/fuzz/%.o $(LIB)
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $(objects_first) $(BASE_LIBS)

# ---- what reads the source ----

C_FILES = $(sort $(wildcard $(ROOMS:%=%/*.[ch]) tools/*.[ch] tools/*/*.[ch] tests/*/*.[ch]))
SCRIPTS = $(shell grep -lE '^\#!/bin/(ba)?sh' .ci/* $(wildcard tools/* tools/*/* tests/* tests/*/*) \
	2>/dev/null)

PYTHON = $(shell grep -lE '^\#!/usr/bin/env python3' $(wildcard tools/* tools/*/* tests/* tests/*/*) \
	2>/dev/null) $(wildcard tools/*/*.py tests/*/*.py)

.PHONY: lint lint-format lint-man lint-scripts lint-python lint-cppcheck lint-tidy lint-includes format
lint: lint-format lint-man lint-scripts lint-python lint-includes lint-cppcheck lint-tidy ## read the source: clang-format, clang-tidy, cppcheck, mandoc, shellcheck

lint-format:
	$(call say,LINT,clang-format)
	$(Q)clang-format --dry-run -Werror $(C_FILES)

lint-man: $(MAN_PAGES)
	$(call say,LINT,mandoc)
	$(Q)$(if $(MAN_PAGES),mandoc -T lint -W warning $(MAN_PAGES))

lint-scripts:
	$(call say,LINT,shellcheck)
	$(Q)shellcheck $(SCRIPTS) $(wildcard tools/*.sh)

lint-python:
	$(call say,LINT,python)
	$(Q)PYTHONPYCACHEPREFIX=$(B)/python python3 -m py_compile $(sort $(PYTHON))

lint-includes: $(LIB)
	$(call say,LINT,includes)
	$(Q)tests/lint/includes $(B)

lint-cppcheck: $(B)/gen/suites.h $(B)/gen/assets.h $(B)/gen/graphs_assets.h
	$(call say,LINT,cppcheck)
	$(Q)cppcheck --quiet --error-exitcode=1 --inline-suppr --std=c11 --suppressions-list=tests/lint/cppcheck \
		--enable=warning,performance,portability --cppcheck-build-dir=$(B)/cppcheck -j2 \
		-I. -I$(B) $(filter %.c,$(C_FILES))

TIDY := $(patsubst %.c,$(B)/tidy/%.ok,$(filter %.c,$(C_FILES)))
lint-tidy: $(TIDY)
$(TIDY): $(B)/tidy/%.ok: %.c .clang-tidy $(B)/gen/suites.h $(B)/gen/assets.h $(B)/gen/graphs_assets.h $(filter %.h,$(C_FILES))
	$(call say,TIDY,$<)
	@mkdir -p $(@D)
	$(Q)clang-tidy --quiet --warnings-as-errors='*' $< -- $(ALL_CFLAGS) 2>$@.err >$@.out || \
		{ cat $@.out; grep -v 'warnings generated' $@.err; exit 1; }
	@touch $@

format: ## bring every C file into the form of .clang-format
	$(Q)clang-format -i $(C_FILES)

# ---- use ----

.PHONY: demo graphs attack bench bench-attacks floors run
demo: ## set up, build, then a small Internet, a recursor and questions; DEMO_SECONDS=n ends it
	$(call deps,build demo)
	@$(MAKE) $(JOBS) --no-print-directory all
	@B=$(B) tools/demo

graphs: ## the graph service beside a demo; prints where the boards are; GRAPHS_SECONDS=n ends it
	$(call deps,build demo)
	@$(MAKE) $(JOBS) --no-print-directory all
	@B=$(B) tools/graphs/start

attack: ## the same under a random-subdomain attack, to practise on; ATTACK_SECONDS=n ends it
	$(call deps,build demo)
	@$(MAKE) $(JOBS) --no-print-directory all
	@B=$(B) tools/attack

bench_option = $(if $($(1)),--$(2)='$($(1))')
BENCH_OPTIONS = $(call bench_option,WORKLOADS,workloads) $(call bench_option,SERVERS,servers) \
	$(call bench_option,SECONDS,seconds) $(call bench_option,ROUNDS,rounds) \
	$(call bench_option,NAMES,names) $(call bench_option,FLOOD,flood)
bench: ## CPU a query, beside other resolvers; WORKLOADS, SERVERS, SECONDS, ROUNDS, NAMES, FLOOD, BENCH_ARGS
	$(call deps,build bench)
	@$(MAKE) $(JOBS) --no-print-directory all floors
	@tools/bench/bench.py --build=$(B) $(BENCH_OPTIONS) $(BENCH_ARGS)

bench-attacks: ## what hostile signed zones cost, and everybody else; ATTACKS, SERVERS, RATE, SECONDS, BENCH_ARGS
	$(call deps,build bench)
	@$(MAKE) $(JOBS) --no-print-directory all
	@tools/bench/attacks.py --build=$(B) $(call bench_option,ATTACKS,attacks) \
		$(call bench_option,SERVERS,servers) $(call bench_option,RATE,rate) \
		$(call bench_option,SECONDS,seconds) $(BENCH_ARGS)

floors: $(FLOORS)

RUN_DIR = $(B)/run
run: all ## the daemon in the foreground on 127.0.0.1 port 5300, with the real root
	@mkdir -p $(RUN_DIR)
	$(B)/recursor --config-dir=$(RUN_DIR) --socket-dir=$(RUN_DIR) --local-address=127.0.0.1 \
		--local-port=5300 $(RUN_ARGS)

# ---- installing and packing ----

# PREFIX, as many write it; DESTDIR for packagers.
ifdef PREFIX
prefix := $(PREFIX)
endif
systemdsystemunitdir = $(prefix)/lib/systemd/system
sysusersdir = $(prefix)/lib/sysusers.d

CONF = $(DESTDIR)$(sysconfdir)/recursor.conf
INSTALLED_DOCS = README.md CHANGELOG.md
EXAMPLES = $(wildcard lua-examples/*.lua)
examplesdir = $(docdir)/examples
MAN_SECTIONS = $(patsubst .%,%,$(sort $(suffix $(MAN_PAGES))))

.PHONY: install uninstall dist dist-check deb deb-check
install: all ## programs, man pages, a recursor.conf, a systemd unit; DESTDIR, PREFIX
	$(INSTALL) -d $(addprefix $(DESTDIR),$(sbindir) $(bindir) $(sysconfdir) $(docdir) $(examplesdir) \
		$(systemdsystemunitdir) $(sysusersdir) $(MAN_SECTIONS:%=$(mandir)/man%))
	$(INSTALL) -m 755 $(B)/recursor $(DESTDIR)$(sbindir)/
	$(INSTALL) -m 755 $(B)/rec_control $(DESTDIR)$(bindir)/
	$(foreach s,$(MAN_SECTIONS),$(INSTALL) -m 644 $(filter %.$s,$(MAN_PAGES)) \
		$(DESTDIR)$(mandir)/man$s/ &&) :
	$(INSTALL) -m 644 $(INSTALLED_DOCS) $(DESTDIR)$(docdir)/
	$(INSTALL) -m 644 $(EXAMPLES) $(DESTDIR)$(examplesdir)/
	{ cat recursor/recursor.conf.example && $(B)/recursor --config=default; } \
		>$(B)/recursor.conf-dist
	if [ ! -e $(CONF) ] || cmp -s $(CONF) $(CONF)-dist; then \
		$(INSTALL) -m 644 $(B)/recursor.conf-dist $(CONF); fi
	$(INSTALL) -m 644 $(B)/recursor.conf-dist $(CONF)-dist
	sed 's,@sbindir@,$(sbindir),; s,@bindir@,$(bindir),' tools/package/recursor.service.in \
		>$(B)/recursor.service
	$(INSTALL) -m 644 $(B)/recursor.service $(DESTDIR)$(systemdsystemunitdir)/
	$(INSTALL) -m 644 tools/package/recursor.sysusers $(DESTDIR)$(sysusersdir)/recursor.conf
	for program in $(GRAPHS_PROGRAMS); do \
		$(INSTALL) -m 755 $(B)/$$program $(DESTDIR)$(bindir)/recursor-$$program && \
		sed 's,@bindir@,$(bindir),' tools/graphs/recursor-$$program.service.in \
			>$(B)/recursor-$$program.service && \
		$(INSTALL) -m 644 $(B)/recursor-$$program.service $(DESTDIR)$(systemdsystemunitdir)/ || exit 1; done

uninstall: ## remove what install put there; a recursor.conf that you have changed stays
	if cmp -s $(CONF) $(CONF)-dist; then rm -f $(CONF); fi
	rm -f $(addprefix $(DESTDIR),$(sbindir)/recursor $(bindir)/rec_control \
		$(sysconfdir)/recursor.conf-dist $(INSTALLED_DOCS:%=$(docdir)/%) \
		$(EXAMPLES:lua-examples/%=$(examplesdir)/%) \
		$(systemdsystemunitdir)/recursor.service $(sysusersdir)/recursor.conf \
		$(GRAPHS_PROGRAMS:%=$(bindir)/recursor-%) \
		$(GRAPHS_PROGRAMS:%=$(systemdsystemunitdir)/recursor-%.service) \
		$(foreach m,$(MAN_PAGES),$(mandir)/man$(subst .,,$(suffix $m))/$(notdir $m)))
	for dir in $(examplesdir) $(docdir) $(sysconfdir); do \
		[ ! -d $(DESTDIR)$$dir ] || rmdir --ignore-fail-on-non-empty $(DESTDIR)$$dir; done

dist: configure ## recursor-VERSION.tar.gz in build/: the same bytes for the same sources
	$(Q)tools/package/dist $(PACKAGE_TARNAME)-$(PACKAGE_VERSION) $(B)

dist-check: dist ## build, test and install from that tarball, elsewhere and without git
	$(Q)tools/package/dist-check $(B)/$(PACKAGE_TARNAME)-$(PACKAGE_VERSION).tar.gz

deb: dist ## a package for Debian 12 in build/deb; DEB_REVISION
	$(call deps,package)
	$(Q)tools/package/deb $(B)/$(PACKAGE_TARNAME)-$(PACKAGE_VERSION).tar.gz $(B)/deb $(DEB_REVISION)

deb-check: deb $(B)/lab ## install, start, upgrade and purge it in a Debian 12 of its own (as root)
	$(Q)tools/package/deb-check $(B) $(B)/deb/recursor_$(PACKAGE_VERSION)-$(or $(DEB_REVISION),1)_*.deb

# ---- the rest ----

.PHONY: deps clean distclean help
deps: ## install the Debian packages for building, testing and lint
	@tools/deps build test lint

clean: ## remove what was built
	$(Q)rm -rf $(B)

distclean: clean ## and what autoconf and configure wrote
	$(Q)rm -rf autom4te.cache configure config.h config.h.in config.h.in~ configure~ \
		config.mk config.log config.status

help: ## this list
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
