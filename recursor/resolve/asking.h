/*
 * asking: whom a goal asks, for what, and what becomes of the question.
 *
 * Private to recursor/resolve/, as goal.h is.  In the order of a question's life: the zone cut and
 * the choice among its servers, how much of the name is asked for, the
 * operator's policy that answers instead, the packet, and its outcome.
 */
#ifndef RESOLVE_ASKING_H
#define RESOLVE_ASKING_H

#include "recursor/resolve/known.h"

/* ---- cut.c ---- */

/* The goal moves to a zone: takes over the references. */
void cut_enter(struct resolver *r, struct goal *g, unsigned zone_labels, uint64_t zone_hash,
	       struct rrset **ns_own, struct rrset **ns_parent);
/* The same for the closest cut that is known, or the forward; takes over the references. */
void cut_enter_known(struct resolver *r, struct goal *g, struct knowledge *k);
void cut_take_glue(struct resolver *r, struct goal *g, const struct reply *reply);
void cut_leave(struct resolver *r, struct goal *g);
/* Falls back on the parent's name servers for the zone; false if that is what was in use. */
bool cut_use_parents_set(struct resolver *r, struct goal *g);
/* Goes up to the next zone cut above, to be referred anew; false at the root. */
bool cut_go_up(struct resolver *r, struct goal *g);
/* Falls back on what has expired: see the head of goal.h. */
bool cut_use_stale(struct resolver *r, struct goal *g);
/* Leaves a zone that has not answered for long for an expired cut below it. */
bool cut_leave_silent_parent(struct resolver *r, struct goal *g);
/* The server to ask next: an index into targets, or -1. */
int cut_choose(struct resolver *r, struct goal *g);
/* The servers that are down are to be asked after all, for a name that is known to exist: the reserve
 * of inflight.h bounds how many.  False: there are none, or it is a stranger. */
bool cut_try_those_down(struct resolver *r, struct goal *g);
/* Is there one? */
bool cut_has_choice(struct resolver *r, const struct goal *g);
/* Has addresses of name servers looked up, if any are still unknown; how many goals it waits on. */
unsigned cut_look_up_addresses(struct resolver *r, struct goal *g);
/* None of the known addresses is of use: has those of the other family looked up, and of servers known
 * by glue alone their own word: glue may be out of date. */
unsigned cut_look_up_others(struct resolver *r, struct goal *g);
/* No look-up is under way any more. */
void cut_stop_waiting(struct resolver *r, struct goal *g);
void cut_address_found(struct resolver *r, struct goal *g, unsigned ns, struct goal *child);
const uint8_t *cut_ns_name(const struct goal *g, unsigned ns);

/* ---- minimise.c ---- */

/* Chooses the next question at the goal's zone. */
void minimise_choose(const struct resolver *r, struct goal *g);
/* Is the question on hand the whole name with its type? */
bool minimise_is_over(const struct goal *g);
/* Nothing stands in the way at the labels asked: on with the next. */
void minimise_on(struct resolver *r, struct goal *g);
/* The whole name from now on; false if it was that already. */
bool minimise_off(struct resolver *r, struct goal *g);
/* Takes the steps whose outcome is in the cache. */
void minimise_by_what_is_known(struct resolver *r, struct goal *g);
/* The step is on its way: others who want the same wait for it, with minimise_follow(). */
void minimise_lead(struct resolver *r, struct goal *g);
bool minimise_follow(struct resolver *r, struct goal *g);
/* It is no longer: those who waited go on likewise, so that they do not repeat it one by one.  The
 * goal itself may have had no other waiters: then it is dropped at its next step. */
enum step_end {
	STEP_LOST,   /* nothing came of it: anew */
	STEP_PASSED, /* on with the next */
	STEP_DENIED, /* the servers stumble over it: the whole name */
};
void minimise_release(struct resolver *r, struct goal *g, enum step_end how);

/* ---- policy.c ---- */

/* The policy is asked about the question that is to leave as `plan` says.  What KILL means has been
 * done already. */
enum policy_result {
	POLICY_GO,
	POLICY_ANSWERED,
	POLICY_TIMEOUT,
	POLICY_NO_RESOURCES,
	POLICY_NOBODY, /* nobody waits any more: the goal is dead */
	POLICY_ANEW,   /* others came to wait meanwhile: to be asked again */
};
enum policy_result policy_ask(struct resolver *r, struct goal *g, struct outquery_plan *plan);
void policy_plan_clear(struct outquery_plan *plan);
/* The plan's records as the message of a server: a buffer for free(), or NULL. */
uint8_t *policy_reply_make(const struct goal *g, const struct outquery_plan *plan, size_t *len);

/* ---- ask.c ---- */

/* Sends the goal's question to a target; on failure marks the target and returns false (then
 * choose again), or the goal is dead. */
bool ask_send(struct resolver *r, struct goal *g, unsigned target, enum transport transport);
/* Stops waiting for the answer, if one is awaited. */
void ask_cancel(struct resolver *r, struct goal *g);
/* To the world, if it wants to know: the goal's question to `server` waits no longer. */
void ask_tell_end(struct resolver *r, const struct goal *g, uint64_t waited_us,
		  enum outquery_end end);
/* The same, where the server table is told what became of the question. */
void ask_forget(struct resolver *r, struct goal *g);
struct goal *ask_find(struct resolver *r, uint64_t ticket);
/* The name on its way, or about to be. */
const uint8_t *ask_name(const struct goal *g);
/* Is the target one of the servers that are never throttled? */
bool ask_is_exempt(const struct resolver *r, const struct goal *g, const struct target *t);
/* Does the message answer the question on its way? */
enum ask_match {
	ASK_MATCHES,
	ASK_OTHER,   /* another question */
	ASK_RESPELT, /* our question, the letters in another case (0x20) */
};
enum ask_match ask_match(const struct resolver *r, const struct goal *g, const struct msg *m);
int ask_slot_take(struct resolver *r, struct goal *g) MUST_USE;
void ask_slot_give(struct resolver *r, struct goal *g);

/* ---- outcome.c: what became of a question ---- */

/* The policy has answered in the place of the target. */
void outcome_by_policy(struct resolver *r, struct goal *g, const struct outquery_plan *plan);
/* It wants the target to be taken for silent, or the question for one that could not leave. */
void outcome_by_policy_timeout(struct resolver *r, struct goal *g);
void outcome_by_policy_no_resources(struct resolver *r, struct goal *g);

void outcome_reply(struct resolver *r, struct goal *g, size_t len, struct msg *m);
void outcome_garbled(struct resolver *r, struct goal *g);
void outcome_timeout(struct resolver *r, struct goal *g);
void outcome_failed(struct resolver *r, struct goal *g, enum net_failure why);
void outcome_near_miss(struct resolver *r, struct goal *g);
void outcome_respelt(struct resolver *r, struct goal *g);

/* ---- network.c ---- */

/* No family can be asked: nothing is to be had but what is known. */
bool network_is_gone(struct resolver *r);
/* A server failed, or is not asked because of the weather: probes are sent as long as it needs any. */
void network_watch(struct resolver *r);
void network_ring(struct resolver *r);
/* Has the family, which had no route, one again?  Seen to now and then, when an address of it is wanted. */
bool network_looks_for_route(struct resolver *r, unsigned family);
/* Is the ticket a probe's?  Then it has been dealt with. */
bool network_probe_replied(struct resolver *r, uint64_t ticket);
bool network_probe_failed(struct resolver *r, uint64_t ticket);
/* No probe is awaited any more. */
void network_stop(struct resolver *r);
/* The failure was remembered while the network was gone, which nobody knew yet. */
bool network_voids(struct resolver *r, const struct rrset *failure);

/* The family is asked, and not known to have no route: its addresses are worth a question. */
static inline bool network_uses(struct resolver *r, unsigned family)
{
	return (family == 4 ? r->cfg.use_ipv4 : r->cfg.use_ipv6) &&
	       weather_state(servers_weather(r->servers), family) != WEATHER_UNROUTED;
}

#endif
