// SPDX-License-Identifier: GPL-2.0-only
/*
 * Finds the events of a kernel in vmlinux, vmlinuz or a module, compressed or not,
 * with libelf and libdw. See catalogue.h.
 *
 * A kernel with CONFIG_PRINTK_INDEX has a section .printk_index of pointers to
 * its struct pi_entry; what evlog raises is there on Linux 2.6, too. What is not
 * there tells less: strings that begin with a level are formats of printk(), and
 * other lines may be of functions that are not in the index, as netdev_err().
 */
#include <ctype.h>
#include <err.h>
#include <elfutils/libdwelf.h>
#include <fcntl.h>
#include <gelf.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include "catalogue.h"
#include "kerrorctl.h"

/* A pointer that is filled in when the file is loaded */
struct relocation {
	uint64_t offset;	/* in its section; of a linked file, its address */
	size_t symbol;
	int64_t addend;
	bool in_place;		/* the addend is where the pointer will be */
};

struct relocations {
	struct relocation *list;	/* by offset */
	size_t size;
};

struct section {
	GElf_Shdr header;
	const char *name;
	const uint8_t *bytes;
	size_t size;
	struct relocations relocations;
};

struct image {
	const char *path;
	Elf *elf;
	bool relocatable;	/* not linked: each section has relocations */
	bool wide, big;
	struct relocations relocations;	/* of a kernel that can move, such as arm64's */
	struct section *sections;
	size_t section_count;
	Elf_Data *symbols;
	uint32_t *listed;	/* CRC-32 of the formats that the index has */
	size_t listed_count;
};

/* Where something is in the file */
struct place {
	const struct section *section;
	uint64_t offset;
};

static uint64_t read_number(const struct image *image, const uint8_t *bytes,
			    size_t size)
{
	uint64_t number = 0;

	for (size_t i = 0; i < size; i++)
		number = number << 8 | bytes[image->big ? i : size - 1 - i];
	return number;
}

static int compare_relocations(const void *left, const void *right)
{
	const struct relocation *a = left, *b = right;

	return a->offset < b->offset ? -1 : a->offset > b->offset;
}

static void load_relocations(struct relocations *relocations, Elf_Scn *scn,
			     const GElf_Shdr *header)
{
	Elf_Data *data = elf_getdata(scn, NULL);
	bool has_addend = header->sh_type == SHT_RELA;
	size_t count;

	if (!data || !header->sh_entsize)
		return;
	count = header->sh_size / header->sh_entsize;
	relocations->list =
		must_have(reallocarray(relocations->list, relocations->size + count + 1,
				       sizeof(*relocations->list)));
	for (size_t i = 0; i < count; i++) {
		GElf_Rela rela;
		GElf_Rel rel;

		if (has_addend ? !gelf_getrela(data, i, &rela) : !gelf_getrel(data, i, &rel))
			break;
		relocations->list[relocations->size++] = (struct relocation) {
			.offset = has_addend ? rela.r_offset : rel.r_offset,
			.symbol = GELF_R_SYM(has_addend ? rela.r_info : rel.r_info),
			.addend = has_addend ? rela.r_addend : 0,
			.in_place = !has_addend,
		};
	}
	qsort(relocations->list, relocations->size, sizeof(*relocations->list),
	      compare_relocations);
}

/* The relocations that a section of such is about, or NULL if they do not matter */
static struct relocations *target_of(struct image *image, const GElf_Shdr *header)
{
	if (header->sh_type != SHT_RELA && header->sh_type != SHT_REL)
		return NULL;
	if (image->relocatable)
		return header->sh_info < image->section_count ?
		       &image->sections[header->sh_info].relocations : NULL;
	/* Others have been applied by the linker. */
	return header->sh_flags & SHF_ALLOC && header->sh_type == SHT_RELA ?
	       &image->relocations : NULL;
}

static const struct relocation *find_relocation(const struct relocations *relocations,
						uint64_t offset)
{
	struct relocation key = { .offset = offset };

	return relocations->size ?
	       bsearch(&key, relocations->list, relocations->size, sizeof(key),
		       compare_relocations) : NULL;
}

static void load_sections(struct image *image)
{
	size_t names;
	Elf_Scn *scn = NULL;

	if (elf_getshdrnum(image->elf, &image->section_count) ||
	    elf_getshdrstrndx(image->elf, &names))
		errx(EXIT_FAILURE, "%s: %s", image->path, elf_errmsg(-1));
	image->sections = must_have(calloc(image->section_count + 1,
					   sizeof(*image->sections)));
	for (size_t i = 0; i < image->section_count; i++) {
		struct section *section = &image->sections[i];
		Elf_Data *data;

		scn = elf_getscn(image->elf, i);
		if (!scn || !gelf_getshdr(scn, &section->header))
			continue;
		section->name = elf_strptr(image->elf, names, section->header.sh_name);
		if (section->header.sh_type == (image->relocatable ? SHT_SYMTAB : SHT_DYNSYM))
			image->symbols = elf_getdata(scn, NULL);
		data = section->header.sh_type == SHT_PROGBITS ?
		       elf_rawdata(scn, NULL) : NULL;
		if (data && data->d_buf) {
			section->bytes = data->d_buf;
			section->size = data->d_size;
		}
	}
	for (size_t i = 0; i < image->section_count; i++) {
		const GElf_Shdr *header = &image->sections[i].header;
		struct relocations *target = target_of(image, header);

		if (target)
			load_relocations(target, elf_getscn(image->elf, i), header);
	}
}

/* Where the pointer at @at leads to; false: nowhere, or not into the file. */
static bool follow(const struct image *image, struct place at, struct place *to)
{
	const struct relocation *found;
	size_t size = image->wide ? 8 : 4;
	GElf_Sym symbol = { 0 };
	uint64_t address;

	if (at.offset + size > at.section->size)
		return false;
	address = read_number(image, at.section->bytes + at.offset, size);
	found = image->relocatable ?
		find_relocation(&at.section->relocations, at.offset) :
		find_relocation(&image->relocations, at.section->header.sh_addr + at.offset);
	if (found && !found->in_place)
		address = found->addend;
	if (found && (found->symbol || image->relocatable) &&
	    (!image->symbols || !gelf_getsym(image->symbols, found->symbol, &symbol)))
		return false;
	address += symbol.st_value;
	if (image->relocatable) {
		if (!found || symbol.st_shndx >= image->section_count)
			return false;
		to->section = &image->sections[symbol.st_shndx];
		to->offset = address;
		return to->offset < to->section->size;
	}
	for (size_t i = 0; address && i < image->section_count; i++) {
		to->section = &image->sections[i];
		to->offset = address - to->section->header.sh_addr;
		if (to->section->header.sh_flags & SHF_ALLOC &&
		    address >= to->section->header.sh_addr &&
		    to->offset < to->section->size)
			return true;
	}
	return false;
}

/* The string that the pointer at @at leads to, or NULL */
static const char *follow_to_string(const struct image *image, struct place at)
{
	struct place to;

	if (!follow(image, at, &to) ||
	    !memchr(to.section->bytes + to.offset, 0, to.section->size - to.offset))
		return NULL;
	return (const char *)to.section->bytes + to.offset;
}

static int compare_sums(const void *left, const void *right)
{
	uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;

	return a < b ? -1 : a > b;
}

static uint32_t sum_of(const char *text)
{
	return crc32(0, (const Bytef *)text, strlen(text));
}

static void read_entry(struct catalogue *catalogue, struct image *image,
		       struct place entry, const char *facility)
{
	/* Of struct pi_entry, which is packed: where each member is */
	size_t pointer = image->wide ? 8 : 4;
	struct catalogue_entry found = {
		.level = LEVEL_DEFAULT, .by = BY_PRINTK, .facility = facility,
	};
	const char *level, *prefix;
	struct place at = entry;
	int ignored;

	if (entry.offset + 5 * pointer + 4 > entry.section->size)
		return;
	found.format = follow_to_string(image, at);
	at.offset += pointer;
	found.function = follow_to_string(image, at) ? : "";
	at.offset += pointer;
	found.file = follow_to_string(image, at) ? : "";
	at.offset += pointer;
	found.line = read_number(image, at.section->bytes + at.offset, 4);
	at.offset += 4;
	level = follow_to_string(image, at);
	at.offset += pointer;
	prefix = follow_to_string(image, at);
	/* Its format was no constant. */
	if (!found.format)
		return;
	if (level)
		catalogue_take_level(level, &found.level);
	/* printk() has no prefix there, and subsystems have one that is not empty. */
	if (prefix && !*prefix)
		found.by = BY_EVLOG;
	catalogue_add(catalogue, &found, prefix ? : "");
	image->listed[image->listed_count++] =
		sum_of(catalogue_take_level(found.format, &ignored));
}

static void read_index(struct catalogue *catalogue, struct image *image,
		       const struct section *section, const char *facility)
{
	size_t pointer = image->wide ? 8 : 4;

	image->listed = must_have(reallocarray(image->listed, image->listed_count +
					       section->size / pointer + 1,
					       sizeof(*image->listed)));
	for (uint64_t offset = 0; offset + pointer <= section->size; offset += pointer) {
		struct place entry;

		if (follow(image, (struct place) { section, offset }, &entry))
			read_entry(catalogue, image, entry, facility);
	}
	qsort(image->listed, image->listed_count, sizeof(*image->listed), compare_sums);
}

/* ---- Strings ---- */

struct cursor {
	size_t section, at;
};

/* The next string behind @cursor, which begins there with zeros; NULL at the end. */
static const char *next_string(const struct image *image, struct cursor *cursor)
{
	for (; cursor->section < image->section_count; cursor->section++, cursor->at = 0) {
		const struct section *section = &image->sections[cursor->section];

		if (!(section->header.sh_flags & SHF_ALLOC) ||
		    section->header.sh_flags & SHF_EXECINSTR)
			continue;
		while (cursor->at < section->size) {
			const char *string = (const char *)section->bytes + cursor->at;
			size_t length = strnlen(string, section->size - cursor->at);

			cursor->at += length + 1;
			if (length && cursor->at <= section->size)
				return string;
		}
	}
	return NULL;
}

/* Whether it is at least three bytes that printk() may be given behind a level */
static bool is_text(const char *string)
{
	size_t length = strlen(string), size;

	for (const char *at = string; *at; at += size) {
		size = utf8_length(at, string + length - at);
		if (!size || (iscntrl((unsigned char)*at) &&
			      !strchr("\n\t\r\a\b\f\v\033", *at)))
			return false;
	}
	return length >= 3;
}

/*
 * Whether it is a line with a word in it, or several words: what a driver gives to a
 * function that prints it by %pV needs no newline. Or such a function's own format, or
 * one of many conversions.
 */
static bool is_line(const char *string)
{
	size_t length = strlen(string), word = 0, longest = 0, conversions = 0;

	for (const char *at = string; *at; at++) {
		conversions += *at == '%';
		if (!isprint((unsigned char)*at) && *at != '\n' && *at != '\t')
			return false;
		word = isalpha((unsigned char)*at) ? word + 1 : 0;
		if (word > longest)
			longest = word;
	}
	if (strstr(string, "%pV") || (conversions > 3 && string[length - 1] == '\n'))
		return true;
	return longest >= 3 && (string[length - 1] == '\n' || strchr(string, ' '));
}

static bool begins_with_level(const char *string, bool angles)
{
	int level;

	return *string == (angles ? '<' : '\1') &&
	       catalogue_take_level(string, &level) != string;
}

/* Before Linux 3.6 a level is in angles; data of later ones may look like that. */
static bool has_angles(const struct image *image)
{
	struct cursor cursor = { 0 };
	const char *string;
	ssize_t more = 0;

	while ((string = next_string(image, &cursor)))
		more += begins_with_level(string, true) - begins_with_level(string, false);
	return more > 0;
}

static void read_strings(struct catalogue *catalogue, const struct image *image,
			 const char *facility)
{
	struct catalogue_entry entry = {
		.facility = facility, .file = "", .function = "",
	};
	bool angles = has_angles(image);
	/* printk() would have listed it: somebody puts something before it. */
	enum raiser by = image->listed_count && !angles ? BY_STRING : BY_PRINTK;
	struct cursor cursor = { 0 };
	const char *string;
	uint32_t sum;

	while ((string = next_string(image, &cursor))) {
		bool level = begins_with_level(string, angles);

		entry.by = level ? by : BY_STRING;
		entry.level = level ? LEVEL_DEFAULT : LEVEL_UNKNOWN;
		entry.format = level ? catalogue_take_level(string, &entry.level) : string;
		sum = sum_of(entry.format);
		if ((level ? is_text(entry.format) : is_line(string)) &&
		    !(image->listed_count &&
		      bsearch(&sum, image->listed, image->listed_count, sizeof(sum),
			      compare_sums)))
			catalogue_add(catalogue, &entry, "");
	}
}

/* "kernel" for vmlinux, the module's name for a module */
static void find_facility(const struct image *image, char *facility, size_t size)
{
	const char *slash = strrchr(image->path, '/'), *name = slash ? slash + 1 : image->path;
	const char *end = strstr(name, ".ko");

	if (!image->relocatable) {
		snprintf(facility, size, "kernel");
		return;
	}
	snprintf(facility, size, "%.*s", end ? (int)(end - name) : INT_MAX, name);
	for (; (facility = strchr(facility, '-')); )
		*facility = '_';
}

bool catalogue_read_elf(struct catalogue *catalogue, const char *path)
{
	struct image image = { .path = path };
	char facility[64];
	int fd, unpacked;
	GElf_Ehdr header;

	if (elf_version(EV_CURRENT) == EV_NONE)
		errx(EXIT_FAILURE, "libelf: %s", elf_errmsg(-1));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		err(EXIT_FAILURE, "cannot read %s", path);
	image.elf = dwelf_elf_begin(fd);
	unpacked = image.elf && elf_kind(image.elf) == ELF_K_ELF ? -1 : vmlinuz_unpack(fd);
	if (unpacked >= 0) {
		elf_end(image.elf);
		close(fd);
		fd = unpacked;
		image.elf = dwelf_elf_begin(fd);
	}
	if (!image.elf || elf_kind(image.elf) != ELF_K_ELF ||
	    !gelf_getehdr(image.elf, &header)) {
		elf_end(image.elf);
		close(fd);
		return false;
	}
	image.relocatable = header.e_type == ET_REL;
	image.wide = header.e_ident[EI_CLASS] == ELFCLASS64;
	image.big = header.e_ident[EI_DATA] == ELFDATA2MSB;
	load_sections(&image);
	find_facility(&image, facility, sizeof(facility));
	for (size_t i = 0; i < image.section_count; i++)
		if (image.sections[i].name &&
		    !strcmp(image.sections[i].name, ".printk_index"))
			read_index(catalogue, &image, &image.sections[i], facility);
	read_strings(catalogue, &image, facility);
	free(image.listed);
	for (size_t i = 0; i < image.section_count; i++)
		free(image.sections[i].relocations.list);
	free(image.relocations.list);
	free(image.sections);
	elf_end(image.elf);
	close(fd);
	return true;
}
