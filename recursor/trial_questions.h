/*
 * trial_questions: the questions that a script is tried on (trial.h): a copy of a ring, oldest
 * first, and whom of them the script affected.
 *
 * Memory:  about 60 bytes a question, TRY_QUESTIONS_MAX at most; the rings are read once.
 */
#ifndef RECURSOR_TRIAL_QUESTIONS_H
#define RECURSOR_TRIAL_QUESTIONS_H

#include "recursor/watch/try_script.h"

struct psl;

struct trial_question {
	struct addr remote;
	uint16_t type;
	bool tcp, has_name;
	bool is_affected;
	uint32_t name; /* in `names` */
};

struct trial_questions {
	struct trial_question *list;
	size_t n, cap;
	uint8_t *names;
	size_t names_len, names_cap;
	uint64_t *seen; /* hashes of names and types; 0: none */
	size_t seen_cap;
	bool failed;
};

/* *entries: how many there are, which may be more than are taken.  E_NOMEM. */
int trial_questions_read(struct trial_questions *to, struct ringset *rings, enum ring_kind ring,
			 uint64_t *entries) MUST_USE;
void trial_questions_free(struct trial_questions *t);

/* NULL: there is none. */
const uint8_t *trial_question_name(const struct trial_questions *t, const struct trial_question *q);
/* Has there been none for its name and type before? */
bool trial_question_is_new(struct trial_questions *t, const struct trial_question *q);

/* Who was affected most: registrable domains, and clients.  E_NOMEM. */
int trial_questions_count(const struct trial_questions *t, const struct psl *psl,
			  struct try_report *out) MUST_USE;

#endif
