/* check_security: is what is said of an answer's security so?  See soak.h. */
#include "common/rrtype.h"
#include "tests/soak/soak.h"

/* What a validator must find of all links to the answer. */
struct judgement {
	enum finding finding;
	bool is_certain; /* nobody could lie about any of them, or have it look insecure */
	/* Signatures may be lost on the way, and where opt-out or costly hashes prove nothing that
	 * looks as if there were none. */
	bool may_look_insecure;
};

static enum finding finding_in(struct internet *net, unsigned epoch, const uint8_t *name,
			       uint16_t type)
{
	enum finding f;
	struct truth t;

	internet_use(net, epoch);
	truth_of(net, name, type, &t);
	f = finding_of(net, &t, name, type);
	internet_use_latest(net);
	return f;
}

/* Older epochs that caches may remember. */
static unsigned n_remembered(const struct soak *s)
{
	return s->is_settled ? 0 : s->net.n_epochs - 1;
}

/* As long as older epochs are remembered: when they do not agree, anything may be found. */
static enum finding finding_ever(struct soak *s, const struct truth *t, const uint8_t *name,
				 uint16_t type)
{
	enum finding f = finding_of(&s->net, t, name, type);

	for (unsigned e = n_remembered(s); e-- > 0;)
		if (finding_in(&s->net, e, name, type) != f)
			f = FIND_ANYTHING;
	return f;
}

bool was_ever_refused(struct soak *s, const uint8_t *name, uint16_t type)
{
	for (unsigned e = n_remembered(s); e-- > 0;) {
		enum finding f = finding_in(&s->net, e, name, type);

		if (f == FIND_BOGUS || f == FIND_ANYTHING)
			return true;
	}
	return false;
}

/* The worst of all. */
static void link_judge(struct soak *s, const struct truth *t, const uint8_t *name, uint16_t type,
		       struct judgement *j)
{
	static const unsigned badness[] = {
		[FIND_SECURE] = 0,
		[FIND_INSECURE] = 1,
		[FIND_ANYTHING] = 2,
		[FIND_BOGUS] = 3,
	};
	enum finding f = finding_ever(s, t, name, type);
	bool is_open = !is_protected(&s->net, t, name, type);

	if (is_open)
		j->may_look_insecure = true;
	if (is_open && !t->zone->trusted)
		j->is_certain = false;
	/* What lies behind a link that somebody may have made up is nobody's. */
	if (f == FIND_BOGUS && (!j->is_certain || is_open))
		f = FIND_ANYTHING;
	if (badness[f] > badness[j->finding])
		j->finding = f;
}

static struct judgement judge(struct soak *s, const struct asker *a)
{
	struct judgement j = { FIND_SECURE, true, false };
	uint8_t at[NAME_MAX_LEN], target[NAME_MAX_LEN];
	struct truth t;

	name_lower(at, a->name);
	for (unsigned links = 0; links <= s->setup.cfg.max_cnames; links++) {
		truth_of(&s->net, at, a->type, &t);
		link_judge(s, &t, at, a->type, &j);
		/* The CNAME that a DNAME makes is what was asked for. */
		if ((t.kind != TRUTH_CNAME && (t.kind != TRUTH_DNAME || a->type == TYPE_CNAME)) ||
		    !truth_target(&s->net, &t, at, target))
			break;
		name_lower(at, target);
	}
	return j;
}

void check_security(struct soak *s, const struct asker *a, const struct answer *answer)
{
	bool is_good = answer->rcode == RCODE_NOERROR || answer->rcode == RCODE_NXDOMAIN ||
		       answer->rcode == RCODE_YXDOMAIN;
	char name[NAME_TEXT_MAX];
	struct judgement j;

	if (!is_good || (s->net.n_epochs > 1 && !s->net.only_rolls && !s->is_settled) ||
	    s->configured != 0 || a->cache_only)
		return;
	j = judge(s, a);
	if (j.finding == FIND_BOGUS && answer->security != SEC_BOGUS)
		soak_fail(s, "bogus, and served as %s: %.200s", security_text(answer->security),
			  name_to_text(name, a->name));
	if (j.finding == FIND_INSECURE && answer->security == SEC_SECURE)
		soak_fail(s, "insecure, and served as secure: %.200s", name_to_text(name, a->name));
	if (j.finding == FIND_SECURE && j.is_certain && !j.may_look_insecure &&
	    answer->security != SEC_SECURE)
		soak_fail(s, "secure, and served as %s: %.200s", security_text(answer->security),
			  name_to_text(name, a->name));
}
