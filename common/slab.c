#include "common/slab.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"

#if defined(__SANITIZE_ADDRESS__)
#define WITH_ASAN
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ASAN
#endif
#endif

#ifdef WITH_ASAN
#include <sanitizer/asan_interface.h>
#define POISON(p, n) ASAN_POISON_MEMORY_REGION((p), (n))
#define UNPOISON(p, n) ASAN_UNPOISON_MEMORY_REGION((p), (n))
#else
#define POISON(p, n) ((void)0)
#define UNPOISON(p, n) ((void)0)
#endif

struct object {
	struct object *next; /* in the free list */
};

struct page {
	struct page *next;
	max_align_t objects[];
};

void slab_init(struct slab *s, size_t object_size, size_t max)
{
	const size_t align = sizeof(max_align_t);

	ASSERT(object_size > 0 && object_size < SIZE_MAX / SLAB_PAGE_OBJECTS / 2);
	*s = (struct slab) { .object_size = (object_size + align - 1) / align * align, .max = max };
}

void slab_deinit(struct slab *s)
{
	struct page *page = s->pages, *next;

	ASSERT(s->used == 0);
	for (; page != NULL; page = next) {
		next = page->next;
		UNPOISON(page->objects, SLAB_PAGE_OBJECTS * s->object_size);
		free(page);
	}
	s->pages = NULL;
	s->free_list = NULL;
}

static void put_free(struct slab *s, void *p)
{
	struct object *o = p;

	o->next = s->free_list;
	s->free_list = o;
	POISON(p, s->object_size);
}

static bool add_page(struct slab *s)
{
	struct page *page = malloc(sizeof(*page) + SLAB_PAGE_OBJECTS * s->object_size);

	if (page == NULL)
		return false;
	page->next = s->pages;
	s->pages = page;
	/* From the back, so that objects are taken in the order of their addresses. */
	for (size_t i = SLAB_PAGE_OBJECTS; i-- > 0;)
		put_free(s, (char *)page->objects + i * s->object_size);
	return true;
}

void *slab_take(struct slab *s)
{
	return slab_take_part(s, s->object_size);
}

void *slab_take_part(struct slab *s, size_t zeroed)
{
	struct object *o;

	if (s->used >= s->max || (s->free_list == NULL && !add_page(s)))
		return NULL;
	o = s->free_list;
	UNPOISON(o, s->object_size);
	s->free_list = o->next;
	if (++s->used > s->peak)
		s->peak = s->used;
	memset(o, 0, zeroed);
	return o;
}

void slab_give(struct slab *s, void *object)
{
	ASSERT(object != NULL && s->used > 0);
	s->used--;
	put_free(s, object);
}
