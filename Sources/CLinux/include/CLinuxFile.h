// Files and directories, as far as Swift's Glibc module does not have them.

#ifndef CLINUX_FILE_H
#define CLINUX_FILE_H

#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/xattr.h>

// The GNU extensions among the flags of open(2), which the importer does not see.
extern const int linux_o_path;
extern const int linux_o_tmpfile;
extern const int linux_o_noatime;

// The write lock of a whole file, which belongs to its open file and ends with it: F_OFD_SETLK, without waiting.
int linux_lock_file(int descriptor);

// Whether somebody has that lock: F_OFD_GETLK. 1, 0, or -1.
int linux_is_file_locked(int descriptor);

// fallocate(2) with its flags; and FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE.
int linux_allocate(int descriptor, int flags, uint64_t offset, uint64_t count);
extern const int linux_allocate_keep_size;
extern const int linux_allocate_punch_hole;
extern const int linux_allocate_zero_range;

// lseek(2): SEEK_DATA, SEEK_HOLE.
extern const int linux_seek_data;
extern const int linux_seek_hole;

// linkat(2) of an open file, which needs CAP_DAC_READ_SEARCH.
int linux_link_open(int descriptor, int directory, const char *name);

// getdents64(2). Fills `buffer` with records; see linux_directory_record.
ssize_t linux_getdents(int directory, void *buffer, size_t count);

// One record of linux_getdents. `name` points into the buffer.
typedef struct {
    uint64_t number;  // of the inode
    uint64_t next;    // seeks behind this record
    const char *name; // ends in NUL
    size_t count;     // length of the name in bytes
    size_t length;    // length of the record in bytes
    unsigned char type;
} linux_directory_record;

// Reads the record at `record`; `left` bytes of the buffer are left. Returns 0, or -1 where there
// is none or it is malformed.
int linux_read_directory_record(const void *record, size_t left, linux_directory_record *into);

// renameat2(2), with RENAME_NOREPLACE (1) or RENAME_EXCHANGE (2).
int linux_renameat(
    int old_directory, const char *old_name, int new_directory, const char *new_name,
    unsigned int flags);

// pwritev(2) of two buffers.
ssize_t linux_write_two(
    int descriptor, uint64_t offset, const void *first, size_t first_count, const void *second,
    size_t second_count);

// sync_file_range(2) with SYNC_FILE_RANGE_WRITE: writing to the disk begins, nobody waits.
int linux_start_writing(int descriptor, uint64_t offset, uint64_t count);

// syncfs(2).
int linux_syncfs(int descriptor);

// A sysfs of one's own that lies nowhere: fsopen(2), fsmount(2). Its root, or -1. Takes CAP_SYS_ADMIN.
int linux_open_sysfs(void);

// memfd_create(2): a file in memory, without a name, not executable, that takes seals. Closed on exec.
int linux_memory_file(const char *label);

// fcntl(2) with F_ADD_SEALS: from here on nobody changes what the file holds, nor its length, nor this.
int linux_seal(int descriptor);

// fcntl(2) with F_DUPFD: the lowest number from `lowest` on that is free; not closed on exec.
int linux_duplicate_for_exec(int descriptor, int lowest);

// Whether an open file lies on a ramfs, whose pages are never swapped out: fstatfs(2). -1 with errno.
int linux_is_on_ramfs(int descriptor);

// Drops the program's code and constants from this process's memory; what is used is mapped again
// from the page cache when it is touched. For after a start that touched much once.
void linux_forget_code(void);

// statfs(2), which the importer does not see: f_type, as linux/magic.h has it.
int linux_file_system_type(const char *path, uint64_t *type);
int linux_file_system_type_of(int descriptor, uint64_t *type);

// fstat(2), but for the times of modification and change, which stay as they are in `status`. Whoever asks a
// file for those makes its next change get a time finer than the clock's ticks (statx(2)).
int linux_status_but_changes(int descriptor, struct stat *status);

// mlock2(2) with MLOCK_ONFAULT: pages are locked as they come into being.
int linux_lock_on_fault(const void *address, size_t count);

// The nanoseconds that utimensat(2) takes for "now" and "as it is".
extern const long linux_utime_now;
extern const long linux_utime_omit;

// MADV_DONTDUMP and MADV_WIPEONFORK, where there is the latter.
int linux_keep_private(void *address, size_t count);

// mallopt(3): M_ARENA_MAX and M_TRIM_THRESHOLD.
void linux_limit_heap(int arenas, int trim_threshold);

// malloc_trim(3): gives free memory back to the system.
void linux_trim_heap(void);

// prctl(2) PR_SET_NAME for the calling thread; 15 bytes count.
void linux_name_thread(const char *name);

#endif
