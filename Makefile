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

# These targets need nothing configured; check and demo may install what is missing.
UNCONFIGURED := help clean distclean deps format
INSTALLING := check demo setup
ifneq ($(filter-out $(UNCONFIGURED),$(or $(MAKECMDGOALS),all)),)
include config.mk
endif

configure: configure.ac
	$(if $(filter $(INSTALLING),$(MAKECMDGOALS)),$(Q)tools/deps build)
	$(call say,CONF,$@)
	$(Q)pkg-config --version >/dev/null 2>&1 || \
		{ echo "pkg-config is missing: run tools/deps build" >&2; exit 1; }
	$(Q)autoconf --version >/dev/null 2>&1 || \
		{ echo "autoconf is missing: run tools/deps build" >&2; exit 1; }
	$(Q)acdir=$$(pkg-config --variable=prefix pkg-config 2>/dev/null)/share/aclocal; \
		[ -f "$$acdir/pkg.m4" ] || acdir=/usr/share/aclocal; \
		autoheader -I "$$acdir" -f && autoconf -I "$$acdir" -f

config.mk: configure config.mk.in
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
# Headers of libraries are not ours to warn about.
LIB_CFLAGS = $(patsubst -I%,-isystem %,$(sort $(filter-out -pthread,\
	$(UV_CFLAGS) $(LDNS_CFLAGS) $(CRYPTO_CFLAGS) $(CHECK_CFLAGS) $(LUA_CFLAGS))))
ALL_CFLAGS = -std=gnu11 -D_GNU_SOURCE -I. -I$(B) $(CONFIGURED_CPPFLAGS) $(CPPFLAGS) \
	$(WARNINGS) $(if $(WERROR),-Werror) $(OPT) $(HARDEN) -fPIE -pthread $(SANITIZE) \
	$(LIB_CFLAGS) $(CONFIGURED_CFLAGS) $(CFLAGS)
ALL_LDFLAGS = -pie -pthread -Wl,-z,relro,-z,now -Wl,--as-needed $(SANITIZE) \
	$(CONFIGURED_LDFLAGS) $(LDFLAGS)
BASE_LIBS = $(UV_LIBS) $(LDNS_LIBS) $(CRYPTO_LIBS)

# ---- what is built from what ----

ROOMS := common recursor recursor/resolve recursor/net recursor/policy recursor/watch
MAIN_SRC := recursor/main.c
LIB_SRC := $(filter-out $(MAIN_SRC),$(wildcard $(ROOMS:%=%/*.c)))
CTL_SRC := $(wildcard tools/rec_control*.c tools/rec_control/*.c)
LAB_SRC := $(wildcard tools/lab/*.c)
UNIT_SRC := $(wildcard tests/unit/*.c)
SIM_SRC := $(wildcard tests/sim/*.c)
FUZZ_DRIVER := tests/fuzz/replay.c
FUZZ_SRC := $(filter-out $(FUZZ_DRIVER),$(wildcard tests/fuzz/*.c))
FUZZ_NAMES := $(FUZZ_SRC:tests/fuzz/%.c=%)

obj = $(patsubst %.c,$(B)/obj/%.o,$(1))
LIB := $(B)/librecursor.a

PROGRAMS := $(if $(wildcard $(MAIN_SRC)),$(B)/recursor) $(if $(CTL_SRC),$(B)/rec_control) \
	$(if $(LAB_SRC),$(B)/lab)
TESTS := $(B)/tests/unit $(if $(SIM_SRC),$(B)/tests/sim)
REPLAYS := $(FUZZ_NAMES:%=$(B)/fuzz/%-replay)

.PHONY: all tests
all: $(PROGRAMS) ## the daemon, rec_control and the lab (the default)
tests: $(TESTS) $(REPLAYS) ## the test programs, without running them

$(B)/recursor: $(call obj,$(MAIN_SRC)) $(LIB)
$(B)/rec_control: $(call obj,$(CTL_SRC)) $(LIB)
$(B)/lab: $(call obj,$(LAB_SRC)) $(LIB)
$(B)/tests/unit: $(call obj,$(UNIT_SRC)) $(LIB)
$(B)/tests/sim: $(call obj,$(SIM_SRC)) $(LIB)
$(REPLAYS): $(B)/fuzz/%-replay: $(B)/obj/tests/fuzz/%.o $(call obj,$(FUZZ_DRIVER)) $(LIB)

$(B)/recursor $(B)/rec_control $(B)/tests/sim $(REPLAYS): LIBS = $(BASE_LIBS)
$(B)/lab: LIBS = $(BASE_LIBS) $(LUA_LIBS)
$(B)/tests/unit: LIBS = $(BASE_LIBS) $(CHECK_LIBS)

$(B)/recursor $(B)/rec_control $(B)/lab $(TESTS) $(REPLAYS):
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

$(LIB): $(call obj,$(LIB_SRC)) $(B)/sources
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $(filter %.o,$^)

$(B)/obj/%.o: %.c $(B)/flags | config.mk
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# main.c and libFuzzer call them by name: a header of their own would say nothing.
$(call obj,$(UNIT_SRC) $(FUZZ_SRC)): ALL_CFLAGS += -Wno-missing-prototypes

-include $(shell [ -d $(B)/obj ] && find $(B)/obj -name '*.d')

# suite_x() is declared where it is called: in the list.
$(B)/obj/tests/unit/%.o: WARNINGS += -Wno-missing-prototypes

# The list of suites is made from the names of the files: to add tests/unit/test_x.c is
# enough to have suite_x() run.
$(call obj,tests/unit/main.c): $(B)/gen/suites.h
$(B)/gen/suites.h: $(B)/sources Makefile
	@mkdir -p $(@D)
	@printf '/* Made by the Makefile. */\n#define SUITES(X)' > $@
	@for s in $(sort $(patsubst tests/unit/test_%.c,%,$(filter tests/unit/test_%.c,$(UNIT_SRC)))); do \
		printf ' \\\n\tX(%s)' $$s; done >> $@; echo >> $@

# Written only when their content changes: other flags or other files are a reason to rebuild.
keep_if_same = mkdir -p $(@D); printf '%s\n' '$(1)' | cmp -s - $@ || printf '%s\n' '$(1)' > $@
.PHONY: FORCE
FORCE:
$(B)/flags: FORCE
	@$(call keep_if_same,$(CC) $(subst ','\'',$(ALL_CFLAGS) $(ALL_LDFLAGS)))
$(B)/sources: FORCE
	@$(call keep_if_same,$(LIB_SRC) $(UNIT_SRC))

# ---- tests ----

.PHONY: check unit sim live fuzz-replay scenarios setup
setup:
	@command -v dpkg-query >/dev/null || exit 0; tools/deps build test

check: setup ## set up, build and run every test; ends with the totals
	@$(MAKE) --no-print-directory all tests
	@tests/run $(B)

unit: $(B)/tests/unit ## run the unit tests
	@$(B)/tests/unit

sim: $(B)/tests/sim ## play our own scenarios on the simulated network
	@$(B)/tests/sim tests/sim/scenarios

scenarios: $(B)/tests/sim ## play the scenarios of SCENARIOS=dir
	@$(B)/tests/sim $(or $(SCENARIOS),tests/sim/scenarios)

live: all ## run the daemon against real authorities and clients
	@tests/live/run $(B)

# ---- the rest ----

.PHONY: format deps clean distclean help
C_FILES = $(shell git ls-files '*.c' '*.h')

format: ## bring every C file into the form of .clang-format
	$(Q)clang-format -i $(C_FILES)

deps: ## install the Debian packages for building and testing
	@tools/deps build test

clean: ## remove what was built
	$(Q)rm -rf $(B)

distclean: clean ## and what configure wrote
	$(Q)rm -rf autom4te.cache configure config.h config.h.in config.h.in~ configure~ \
		config.mk config.log config.status

help: ## this list
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
