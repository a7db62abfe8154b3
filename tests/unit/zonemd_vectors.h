/* The zones of RFC 8976 A that are worth their room: A.1 to A.4. */
#ifndef UNIT_ZONEMD_VECTORS_H
#define UNIT_ZONEMD_VECTORS_H

#define A1_DIGEST                                                                                  \
	"c68090d90a7aed716bc459f9340e3d7c1370d4d24b7e2fc3"                                         \
	"a1ddc0b9a87153b9a9713b3c9ae5cc27777f98b8e730044c"
#define A1_REST                                                                                    \
	"example. 86400 IN SOA ns1 admin 2018031900 1800 900 604800 86400\n"                       \
	"example. 86400 IN NS ns1\n"                                                               \
	"example. 86400 IN NS ns2\n"                                                               \
	"ns1 3600 IN A 203.0.113.63\n"                                                             \
	"ns2 3600 IN AAAA 2001:db8::63\n"

static const char zonemd_simple[] = A1_REST "example. 86400 IN ZONEMD 2018031900 1 1 " A1_DIGEST
					    "\n";

static const char zonemd_complex[] =
	"example. 86400 IN SOA ns1 admin 2018031900 1800 900 604800 86400\n"
	"example. 86400 IN NS ns1\n"
	"example. 86400 IN NS ns2\n"
	"example. 86400 IN ZONEMD 2018031900 1 1 a3b69bad980a3504e1cffcb0fd6397f9"
	"3848071c93151f552ae2f6b1711d4bd2d8b39808226d7b9db71e34b72077f8fe\n"
	"ns1 3600 IN A 203.0.113.63\n"
	"NS2 3600 IN AAAA 2001:db8::63\n"
	"occluded.sub 7200 IN TXT \"I'm occluded but must be digested\"\n"
	"sub 7200 IN NS ns1\n"
	"duplicate 300 IN TXT \"I must be digested just once\"\n"
	"duplicate 300 IN TXT \"I must be digested just once\"\n"
	"foo.test. 555 IN TXT \"out-of-zone data must be excluded\"\n"
	"UPPERCASE 3600 IN TXT \"canonicalize uppercase owner names\"\n"
	"* 777 IN PTR dont-forget-about-wildcards\n"
	"mail 3600 IN MX 20 MAIL1\n"
	"mail 3600 IN MX 10 Mail2.Example.\n"
	"sortme 3600 IN AAAA 2001:db8::5:61\n"
	"sortme 3600 IN AAAA 2001:db8::3:62\n"
	"sortme 3600 IN AAAA 2001:db8::4:63\n"
	"sortme 3600 IN AAAA 2001:db8::1:65\n"
	"sortme 3600 IN AAAA 2001:db8::2:64\n"
	"non-apex 900 IN ZONEMD 2018031900 1 1 616c6c6f776564206275742069676e6f"
	"7265642e20616c6c6f776564206275742069676e6f7265642e20616c6c6f7765\n";

#define A3_ZONEMD(digits, digest) "example. 86400 IN ZONEMD 2018031900 " digits " " digest "\n"
#define A3_384                                                                                     \
	A3_ZONEMD("1 1", "62e6cf51b02e54b9b5f967d547ce43136792901f9f88e637"                        \
			 "493daaf401c92c279dd10f0edb1c56f8080211f8480ee306")
#define A3_512                                                                                     \
	A3_ZONEMD("1 2", "08cfa1115c7b948c4163a901270395ea226a930cd2cbcf2fa9a5e6eb85f37c8a"        \
			 "4e114d884e66f176eab121cb02db7d652e0cc4827e7a3204f166b47e5613fd27")
#define A3_OTHERS                                                                                  \
	A3_ZONEMD("1 240", "e2d523f654b9422a96c5a8f44607bbee")                                     \
	"example. 86400 IN TYPE63 \\# 26 784a141c f1 01 e1846540e33a9e4189792d18d5d131f605fc283e\n"
#define A3_REST                                                                                    \
	"example. 86400 IN SOA ns1 admin 2018031900 1800 900 604800 86400\n"                       \
	"example. 86400 IN NS ns1.example.\n"                                                      \
	"example. 86400 IN NS ns2.example.\n"                                                      \
	"ns1.example. 3600 IN A 203.0.113.63\n"                                                    \
	"ns2.example. 86400 IN TXT \"This example has multiple digests\"\n"                        \
	"NS2.EXAMPLE. 3600 IN AAAA 2001:db8::63\n"

/* Signed from 2021-01-20 to 2021-02-17. */
enum { ZONEMD_URI_NOW = 1612137600 };
static const char zonemd_uri[] =
	"uri.arpa. 3600 IN SOA sns.dns.icann.org. noc.dns.icann.org. 2018100702 108"
	"00 3600 1209600 3600\n"
	"uri.arpa. 3600 IN RRSIG SOA 8 2 3600 20210217232440 20210120232440 37444 u"
	"ri.arpa. GzQw+QzwLDJr13REPGVmpEChjD1D2XlX0ie1DnWHpgaEw1E/dhs3lCN3+BmHd4Kx3"
	"tffTRgiyq65HxR6feQ5v7VmAifjyXUYB1DZur1eP5q0Ms2ygCB3byoeMgCNsFS1oKZ2LdzNBRp"
	"y3oace8xQn1SpmHGfyrsgg+WbHKCT1dY=\n"
	"uri.arpa. 86400 IN NS a.iana-servers.net.\n"
	"uri.arpa. 86400 IN NS b.iana-servers.net.\n"
	"uri.arpa. 86400 IN NS c.iana-servers.net.\n"
	"uri.arpa. 86400 IN NS ns2.lacnic.net.\n"
	"uri.arpa. 86400 IN NS sec3.apnic.net.\n"
	"uri.arpa. 86400 IN RRSIG NS 8 2 86400 20210217232440 20210120232440 37444 "
	"uri.arpa. M+Iei2lcewWGaMtkPlrhM9FpUAHXFkCHTVpeyrjxjEONeNgKtHZor5e4V4qJBOzN"
	"qo8go/qJpWlFBm+T5Hn3asaBZVstFIYky38/C8UeRLPKq1hTTHARYUlFrexr5fMtSUAVOgOQPS"
	"BfH3xBq/BgSccTdRb9clD+HE7djpqrLS4=\n"
	"uri.arpa. 600 IN MX 10 pechora.icann.org.\n"
	"uri.arpa. 600 IN RRSIG MX 8 2 600 20210217232440 20210120232440 37444 uri."
	"arpa. kQAJQivmv6A5hqYBK8h6Z13ESY69gmosXwKI6WE09I8RFetfrxr24ecdnYd0lpnDtgNN"
	"SoHkYRSOoB+C4+zuJsoyAAzGo9uoWMWj97/2xeGhf3PTC9meQ9Ohi6hul9By7OR76XYmGhdWX8"
	"PBi60RUmZ1guslFBfQ8izwPqzuphs=\n"
	"uri.arpa. 3600 IN NSEC ftp.uri.arpa. NS SOA MX RRSIG NSEC DNSKEY ZONEMD\n"
	"uri.arpa. 3600 IN RRSIG NSEC 8 2 3600 20210217232440 20210120232440 37444 "
	"uri.arpa. dU/rXLM/naWd1+1PiWiYVaNJyCkiuyZJSccr91pJI673T8r3685B4ODMYFafZRbo"
	"Vgwnl3ZrXddY6xOhZL3n9V9nxXZwjLJ2HJUojFoKcXTlpnUyYUYvVQ2kj4GHAo6fcGCEp5QFJ2"
	"KbCpeJoS+PhKGRRx28icCiNT4/uXQvO2E=\n"
	"uri.arpa. 3600 IN DNSKEY 256 3 8 AwEAAbMxuFuLeVDuOwIMzYOTD/bTREjLflo7wOi6i"
	"eIJhqltEzgjNzmWJf9kGwwDmzxU7kbthMEhBNBZNn84zmcyRSCMzuStWveL7xmqqUlE3swL8kL"
	"OvdZvc75XnmpHrk3ndTyEb6eZM7slh2C63Oh6K8VR5VkiZAkEGg0uZIT3NjsF\n"
	"uri.arpa. 3600 IN DNSKEY 257 3 8 AwEAAdkTaWkZtZuRh7/OobBUFxM+ytTst+bCu0r9w"
	"+rEwXD7GbDs0pIMhMenrZzoAvmv1fQxw2MGs6Ri6yPKfNULcFOSt9l8i6BVBLI+SKTY6XXeDUQ"
	"pSEmSaxohHeRPMQFzpysfjxINp/L2rGtZ7yPmxY/XRiFPSO0myqwGJa9r06Zw9CHM5UDHKWV/E"
	"+zxPFq/I7CfPbrrzbUotBX7Z6Vh3Sarllbe8cGUB2UFNaTRgwB0TwDBPRD5ER3w2Dzbry9NhbE"
	"lTr7vVfhaGWeOGuqAUXwlXEg6CrNkmJXJ2F1Rzr9WHUzhp7uWxhAbmJREGfi2dEyPAbUAyCjBq"
	"hFaqglknvc=\n"
	"uri.arpa. 3600 IN DNSKEY 257 3 8 AwEAAenQaBoFmDmvRT+/H5oNbm0Tr5FmNRNDEun0J"
	"pj/ELkzeUrTWhNpQmZeIMC8I0kZ185tEvOnRvn8OvV39B17QIdrvvKGIh2HlgeDRCLolhaojfn"
	"2QM0DStjF/WWHpxJOmE6CIuvhqYEU37yoJscGAPpPVPzNvnL1HhYTaao1VRYWQ/maMrJ+bfHg+"
	"YX1N6M/8MnRjIKBif1FWjbCKvsn6dnuGGL9oCWYUFJ3DwofXuhgPyZMkzPc88YkJj5EMvbMH4w"
	"telbCwC+ivx732l0w/rXJn0ciQSOgoeVvDio8dIJmWQITWQAuP+q/ZHFEFHPlrP3gvQh5mcVS4"
	"8eLX71Bq7c=\n"
	"uri.arpa. 3600 IN RRSIG DNSKEY 8 2 3600 20210217232440 20210120232440 1267"
	"0 uri.arpa. DBE2gkKAoxJCfz47KKxzoImN/0AKArhIVHE7TyTwy0DdRPo44V5R+vL6thUxlQ"
	"1CJi2Rw0jwAXymx5Y3Q873pOEllH+4bJoIT4dmoBmPXfYWW7Clvw9UPKHRP0igKHmCVwIeBYDT"
	"U3gfLcMTbR4nEWPDN0GxlL1Mf7ITaC2Ioabo79Ip3M/MR8I3Vx/xZ4ZKKPHtLn3xUuJluPNanq"
	"JrED2gTslL2xWZ1tqjsAjJv7JnJo2HJ8XVRB5zBto0IaJ2oBlqcjdcQ/0VlyoM8uOy1pDwHQ2B"
	"Jl7322gNMHBP9HSiUPIOaIDNUCwW8eUcW6DIUk+s9u3GN1uTqwWzsYB/rA==\n"
	"uri.arpa. 3600 IN RRSIG DNSKEY 8 2 3600 20210217232440 20210120232440 3057"
	"7 uri.arpa. Kx6HwP4UlkGc1UZ7SERXtQjPajOF4iUvkwDj7MEG1xbQFB1KoJiEb/eiW0qmSW"
	"dIhMDv8myhgauejRLyJxwxz8HDRV4xOeHWnRGfWBk4XGYwkejVzOHzoIArVdUVRbr2JKigcTOo"
	"yFN+uu52cNB7hRYu7dH5y1hlc6UbOnzRpMtGxcgVyKQ+/ARbIqGG3pegdEOvV49wTPWEiyY65P"
	"2urqhvnRg5ok/jzwAdMx4XGshiib7Ojq0sRVl2ZIzj4rFgY/qsSO8SEXEhMo2VuSkoJNiofVzY"
	"oqpxEeGnANkIT7Tx2xJL1BWyJxyc7E8Wr2QSgCcc+rYL6IkHDtJGHy7TaQ==\n"
	"uri.arpa. 3600 IN ZONEMD 2018100702 1 1 0dbc3c4dbfd75777c12ca19c337854b157"
	"7799901307c482e9d91d5d15cd934d16319d98e30c4201cf25a1d5a0254960\n"
	"uri.arpa. 3600 IN RRSIG ZONEMD 8 2 3600 20210217232440 20210120232440 3744"
	"4 uri.arpa. QDo4XZcL3HMyn8aAHyCUsu/Tqj4Gkth8xY1EqByOb8XOTwVtA4ZNQORE1siqNq"
	"jtJUbeJPtJSbLNqCL7rCq0CzNNnBscv6IIf4gnqJZjlGtHO30ohXtKvEc4z7SU3IASsi6bB3nL"
	"mEAyERdYSeU6UBfx8vatQDIRhkgEnnWUTh4=\n"
	"ftp.uri.arpa. 604800 IN NAPTR 0 0 \"\" \"\" \"!^ftp://([^:/?#]*).*$!\\\\1!i\" .\n"
	"ftp.uri.arpa. 604800 IN RRSIG NAPTR 8 3 604800 20210217232440 202101202324"
	"40 37444 uri.arpa. EygekDgl+Lyyq4NMSEpPyOrOywYf9Y3FAB4v1DT44J3R5QGidaH8l7Z"
	"FjHoYFI8sY64iYOCV4sBnX/dh6C1L5NgpY+8l5065Xu3vvjyzbtuJ2k6YYwJrrCbvl5DDn53zA"
	"hhO2hL9uLgyLraZGi9i7TFGd0sm3zNyUF/EVL0CcxU=\n"
	"ftp.uri.arpa. 3600 IN NSEC http.uri.arpa. NAPTR RRSIG NSEC\n"
	"ftp.uri.arpa. 3600 IN RRSIG NSEC 8 3 3600 20210217232440 20210120232440 37"
	"444 uri.arpa. pbP4KxevPXCu/bDqcvXiuBppXyFEmtHyiy0eAN5gS7mi6mp9Z9bWFjx/LdH9"
	"+6oFGYa5vGmJ5itu/4EDMe8iQeZbI8yrpM4TquB7RR/MGfBnTd8S+sjyQtlRYG7yqEu77Vd78F"
	"me22BKPJ+MVqjS0JHMUE/YUGomPkAjLJJwwGw=\n"
	"http.uri.arpa. 604800 IN NAPTR 0 0 \"\" \"\" \"!^http://([^:/?#]*).*$!\\\\1!i\" .\n"
	"http.uri.arpa. 604800 IN RRSIG NAPTR 8 3 604800 20210217232440 20210120232"
	"440 37444 uri.arpa. eTqbWvt1GvTeXozuvm4ebaAfkXFQKrtdu0cEiExto80sHIiCbO0WL8"
	"UDa/J3cDivtQca7LgUbOb6c17NESsrsVkc6zNPx5RK2tG7ZQYmhYmtqtfg1oU5BRdHZ5TyqIXc"
	"Hlw9Blo2pir1Y9IQgshhD7UOGkbkEmvB1Lrd0aHhAAg=\n"
	"http.uri.arpa. 3600 IN NSEC mailto.uri.arpa. NAPTR RRSIG NSEC\n"
	"http.uri.arpa. 3600 IN RRSIG NSEC 8 3 3600 20210217232440 20210120232440 3"
	"7444 uri.arpa. R9rlNzw1CVz2N08q6DhULzcsuUm0UKcPaGAWEU40tr81jEDHsFHNM+khCdO"
	"I8nDstzA42aee4rwCEgijxJpRCcY9hrO1Ysrrr2fdqNz60JikMdarvU5O0p0VXeaaJDfJQT44+"
	"o+YXaBwI7Qod3FTMx7aRib8i7istvPm1Rr7ixA=\n"
	"mailto.uri.arpa. 604800 IN NAPTR 0 0 \"\" \"\" \"!^mailto:(.*)@(.*)$!\\\\2!i\" .\n"
	"mailto.uri.arpa. 604800 IN RRSIG NAPTR 8 3 604800 20210217232440 202101202"
	"32440 37444 uri.arpa. Ch2zTG2F1plEvQPyIH4Yd80XXLjXOPvMbiqDjpJBcnCJsV8QF7kr"
	"0wTLnUT3dB+asQudOjPyzaHGwFlMzmrrAsszN4XAMJ6htDtFJdsgTMP/NkHhYRSmVv6rLeAhd+"
	"mVfObY12M//b/GGVTjeUI/gJaLW0fLVZxr1Fp5U5CRjyw=\n"
	"mailto.uri.arpa. 3600 IN NSEC urn.uri.arpa. NAPTR RRSIG NSEC\n"
	"mailto.uri.arpa. 3600 IN RRSIG NSEC 8 3 3600 20210217232440 20210120232440"
	" 37444 uri.arpa. fQUbSIE6E7JDi2rosah4SpCOTrKufeszFyj5YEavbQuYlQ5cNFvtm8KuE"
	"2xXMRgRI4RGvM2leVqcoDw5hS3m2pOJLxH8l2WE72YjYvWhvnwc5Rofe/8yB/vaSK9WCnqN8y2"
	"q6Vmy73AGP0fuiwmuBra7LlkOiqmyx3amSFizwms=\n"
	"urn.uri.arpa. 604800 IN NAPTR 0 0 \"\" \"\" \"/urn:([^:]+)/\\\\1/i\" .\n"
	"urn.uri.arpa. 604800 IN RRSIG NAPTR 8 3 604800 20210217232440 202101202324"
	"40 37444 uri.arpa. CVt2Tgz0e5ZmaSXqRfNys/8OtVCk9nfP0zhezhN8Bo6MDt6yyKZ2kEE"
	"WJPjkN7PCYHjO8fGjnUn0AHZI2qBNv7PKHcpR42VY03q927q85a65weOO1YE0vPYMzACpua9TO"
	"tfNnynM2Ws0uN9URxUyvYkXBdqOC81N3sx1dVELcwc=\n"
	"urn.uri.arpa. 3600 IN NSEC uri.arpa. NAPTR RRSIG NSEC\n"
	"urn.uri.arpa. 3600 IN RRSIG NSEC 8 3 3600 20210217232440 20210120232440 37"
	"444 uri.arpa. JuKkMiC3/j9iM3V8/izcouXWAVGnSZjkOgEgFPhutMqoylQNRcSkbEZQzFK8"
	"B/PIVdzZF0Y5xkO6zaKQjOzz6OkSaNPIo1a7Vyyl3wDY/uLCRRAHRJfpknuY7O+AUNXvVVIEYJ"
	"qZggd4kl/Rjh1GTzPYZTRrVi5eQidI1LqCOeg=\n";

#endif
