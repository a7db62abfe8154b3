/*
 * fault: the ways in which a signed zone may be wrong: one table, for the signer that makes them,
 * and for tests and scenarios that name them.
 *
 * Faults of a signature are made of one set (or of all), those of keys and of proofs of the whole
 * zone.  Each but NONE makes what it touches bogus.
 */
#ifndef SIGNER_FAULT_H
#define SIGNER_FAULT_H

/* symbol, word, what it is */
#define SIGN_FAULTS(X)                                                                             \
	X(NONE, "none", "nothing is wrong")                                                        \
	/* of a signature */                                                                       \
	X(UNSIGNED, "unsigned", "no RRSIG")                                                        \
	X(EXPIRED, "expired", "its time is over")                                                  \
	X(NOT_YET, "not-yet", "its time has not come")                                             \
	X(BACKWARD, "backward", "it expires before it begins")                                     \
	X(GARBLED, "garbled", "a bit of it is turned")                                             \
	X(SHORT, "short", "it lacks its last byte")                                                \
	X(EMPTY, "empty", "it has no signature in it")                                             \
	X(OTHER_DATA, "other-data", "it is of other records")                                      \
	X(OTHER_KEY, "other-key", "of a key that the zone does not show")                          \
	X(FORGED, "forged", "of a strange key, by the name of the zone's")                         \
	X(OTHER_SIGNER, "other-signer", "it names another zone as signer")                         \
	X(OTHER_TAG, "other-tag", "it names another key tag")                                      \
	X(OTHER_ALGORITHM, "other-algorithm", "it names another algorithm")                        \
	X(OTHER_TYPE, "other-type", "it says that it covers another type")                         \
	X(OTHER_TTL, "other-ttl", "it names another original TTL")                                 \
	X(MORE_LABELS, "more-labels", "it counts one label more than the owner has")               \
	X(FEWER_LABELS, "fewer-labels", "it counts one label less than was signed")                \
	/* of keys */                                                                              \
	X(DS_DIGEST, "ds-digest", "the parent has the digest of another key")                      \
	X(DS_TAG, "ds-tag", "the parent's DS names another key tag")                               \
	X(DS_ALGORITHM, "ds-algorithm", "the parent's DS names another algorithm")                 \
	X(KEYS_UNSIGNED, "keys-unsigned", "no RRSIG of the DNSKEY set")                            \
	X(KEYS_BY_ZSK, "keys-by-zsk", "the DNSKEY set is not signed by the entry point")           \
	X(KEYS_EXPIRED, "keys-expired", "the DNSKEY set's RRSIG has expired")                      \
	X(KEYS_GONE, "keys-gone", "no DNSKEY set")                                                 \
	X(ZSK_GONE, "zsk-gone", "the key that signs is not in the DNSKEY set")                     \
	X(KSK_REVOKED, "ksk-revoked", "the entry point is revoked (RFC 5011 2.1)")                 \
	X(NO_ZONE_FLAG, "no-zone-flag", "the keys are no zone's keys")                             \
	X(PROTOCOL, "protocol", "the keys' protocol is not 3")                                     \
	/* of proofs */                                                                            \
	X(NO_PROOF, "no-proof", "denials lack their NSEC or NSEC3 sets")                           \
	X(NO_NAME_PROOF, "no-name-proof", "denials do not say that the name is not there")         \
	X(NO_WILDCARD_PROOF, "no-wildcard-proof", "denials do not say that there is no wildcard")  \
	X(NO_ENCLOSER_PROOF, "no-encloser-proof", "denials do not name the closest encloser")      \
	X(SPANS_NOTHING, "spans-nothing", "each NSEC or NSEC3 reaches to right behind itself")     \
	X(ALL_TYPES, "all-types", "each NSEC or NSEC3 says that types are there that are not")

enum sign_fault {
#define SIGN_FAULT(name, word, text) SIGN_##name,
	SIGN_FAULTS(SIGN_FAULT)
#undef SIGN_FAULT
		SIGN_FAULT_END
};

/* The table's word and text. */
const char *sign_fault_word(enum sign_fault f);
const char *sign_fault_text(enum sign_fault f);
/* By its word; SIGN_FAULT_END: there is none. */
enum sign_fault sign_fault_find(const char *word);

#endif
