/* print: what an Internet looks like, for the story of a failing seed. */
#include "common/rrtype.h"
#include "tests/soak/internet.h"

static void ns_print(FILE *f, const struct internet *net, const char *who, const uint8_t *ns,
		     unsigned n)
{
	char name[NAME_TEXT_MAX];

	fprintf(f, "    %s:", who);
	for (unsigned i = 0; i < n; i++)
		fprintf(f, " %s=host%u", name_to_text(name, net->ns[ns[i]].name),
			net->ns[ns[i]].host);
	fputc('\n', f);
}

static void sets_print(FILE *f, const struct internet *net, const struct zone *z)
{
	char name[NAME_TEXT_MAX], type[RRTYPE_TEXT_MAX];

	for (unsigned at = z->first_set; at != SET_NONE; at = net->sets[at].next) {
		const struct model_set *s = &net->sets[at];

		fprintf(f, "    %s %u %s", name_to_text(name, s->owner), s->ttl,
			rrtype_to_text(s->type, type));
		if (s->type == TYPE_CNAME || s->type == TYPE_DNAME)
			fprintf(f, " %s", name_to_text(name, model_record(net, s, 0)->data));
		fprintf(f, " (%u)%s%s\n", s->n, s->fault != 0 ? " " : "",
			s->fault != 0 ? sign_fault_word((enum sign_fault)s->fault) : "");
	}
}

static void signed_print(FILE *f, const struct internet *net, const struct zone *z)
{
	static const char *const findings[] = { "insecure", "secure", "bogus", "anything" };
	static const char *const denials[] = { "NSEC", "NSEC3", "opt-out" };
	const struct sign_policy *p = &net->policies[z - net->zones];

	fprintf(f, "    signed: algorithm %u, %s, %u iterations, fault %s;%s%s%s%s%s%s %s\n",
		p->algorithm, denials[p->denial], p->iterations, sign_fault_word(p->fault),
		z->has_ds ? " ds" : "", z->is_anchor ? " anchor" : "", z->is_nta ? " nta" : "",
		z->shielded ? " shielded" : "", z->proved_sound ? " proved-sound" : "",
		z->proved_reachable ? " proved-reachable" : "", findings[z->finding]);
}

static void host_print(FILE *f, const struct internet *net, unsigned index)
{
	static const char *const fates[] = { "sound", "shaky", "liar" };
	const struct host *h = &net->hosts[index];
	char text[ADDR_TEXT_MAX];
	struct addr a;

	fprintf(f, "  host%u %s", index, fates[h->fate]);
	for (unsigned family = 4; family <= 6; family += 2)
		if (host_addr(net, index, family, &a))
			fprintf(f, " %s", addr_ip_text(text, &a));
	if (h->ghosts != 0)
		fprintf(f, " (still serves %x of epoch %u)", h->ghosts, h->stuck);
	fprintf(f, ": zones %x edns %d lame %d delay %u%s%s%s%s%s", net->serves[index],
		(int)h->edns, (int)h->lame, h->delay_ms, h->lowers_case ? " lowers-case" : "",
		h->no_soa ? " no-soa" : "", h->talks ? " talks" : "",
		h->truncates ? " truncates" : "", h->loses_now_and_then ? " loses" : "");
	if (h->oblivious)
		fprintf(f, " oblivious");
	if (h->fate == FATE_SHAKY)
		fprintf(f,
			" tcp %d loss %u garbage %u cut %u rcode %u no-aa %u wrong-id %u late %u "
			"corrupt %u",
			(int)h->tcp, h->loss, h->garbage, h->cut, h->bad_rcode, h->no_aa,
			h->wrong_id, h->late, h->corrupt);
	fputc('\n', f);
}

void internet_print(FILE *f, const struct internet *net)
{
	char name[NAME_TEXT_MAX];

	for (unsigned i = 0; i < net->n_hosts; i++)
		host_print(f, net, i);
	for (unsigned i = 0; i < net->n_zones; i++) {
		const struct zone *z = &net->zones[i];

		fprintf(f, "  zone %u %s:%s%s%s%s%s%s depth %u cost %u\n", i,
			name_to_text(name, z->apex), z->gone ? " gone" : "",
			z->trusted ? " trusted" : "",
			z->sound       ? " sound"
			: z->reachable ? " reachable"
				       : "",
			z->gives_glue ? " gives-glue" : "", z->denies_empty ? " denies-empty" : "",
			z->old_glue ? " old-glue" : "", z->depth, z->cost);
		if (z->is_signed)
			signed_print(f, net, z);
		ns_print(f, net, "says", z->ns, z->n_ns);
		ns_print(f, net, "its parent says", z->parent_ns, z->n_parent_ns);
		sets_print(f, net, z);
	}
}
