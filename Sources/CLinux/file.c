#include "CLinuxFile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <link.h>
#include <malloc.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/uio.h>
#include <unistd.h>

const int linux_o_path = O_PATH;
const int linux_o_tmpfile = O_TMPFILE;
const int linux_o_noatime = O_NOATIME;
const long linux_utime_now = UTIME_NOW;
const long linux_utime_omit = UTIME_OMIT;

const int linux_allocate_keep_size = FALLOC_FL_KEEP_SIZE;
const int linux_allocate_punch_hole = FALLOC_FL_PUNCH_HOLE;
const int linux_allocate_zero_range = FALLOC_FL_ZERO_RANGE;

const int linux_seek_data = SEEK_DATA;
const int linux_seek_hole = SEEK_HOLE;
int linux_lock_file(int descriptor) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    return fcntl(descriptor, F_OFD_SETLK, &lock);
}

int linux_is_file_locked(int descriptor) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(descriptor, F_OFD_GETLK, &lock) == -1) return -1;
    return lock.l_type != F_UNLCK;
}

int linux_allocate(int descriptor, int flags, uint64_t offset, uint64_t count) {
    return fallocate(descriptor, flags, (off_t)offset, (off_t)count);
}

int linux_link_open(int descriptor, int directory, const char *name) {
    return linkat(descriptor, "", directory, name, AT_EMPTY_PATH);
}

ssize_t linux_getdents(int directory, void *buffer, size_t count) {
    return getdents64(directory, buffer, count);
}

int linux_read_directory_record(const void *record, size_t left, linux_directory_record *into) {
    const struct dirent64 *entry = record;
    const size_t header = offsetof(struct dirent64, d_name);
    if (left <= header || entry->d_reclen <= header || entry->d_reclen > left) return -1;
    into->number = entry->d_ino;
    into->next = (uint64_t)entry->d_off;
    into->name = entry->d_name;
    into->count = strnlen(entry->d_name, entry->d_reclen - header);
    if (into->count == entry->d_reclen - header) return -1;
    into->length = entry->d_reclen;
    into->type = entry->d_type;
    return 0;
}

int linux_renameat(
    int old_directory, const char *old_name, int new_directory, const char *new_name,
    unsigned int flags) {
    return renameat2(old_directory, old_name, new_directory, new_name, flags);
}

int linux_lock_on_fault(const void *address, size_t count) {
    return mlock2(address, count, MLOCK_ONFAULT);
}

int linux_keep_private(void *address, size_t count) {
    madvise(address, count, MADV_WIPEONFORK);
    return madvise(address, count, MADV_DONTDUMP);
}

void linux_limit_heap(int arenas, int trim_threshold) {
    mallopt(M_ARENA_MAX, arenas);
    mallopt(M_TRIM_THRESHOLD, trim_threshold);
}

void linux_trim_heap(void) { malloc_trim(0); }

void linux_name_thread(const char *name) { prctl(PR_SET_NAME, name, 0, 0, 0); }

ssize_t linux_write_two(
    int descriptor, uint64_t offset, const void *first, size_t first_count, const void *second,
    size_t second_count) {
    const struct iovec parts[] = {
        {.iov_base = (void *)first, .iov_len = first_count},
        {.iov_base = (void *)second, .iov_len = second_count},
    };
    return pwritev(descriptor, parts, 2, (off_t)offset);
}

int linux_start_writing(int descriptor, uint64_t offset, uint64_t count) {
    return sync_file_range(descriptor, (off_t)offset, (off_t)count, SYNC_FILE_RANGE_WRITE);
}

int linux_syncfs(int descriptor) { return syncfs(descriptor); }

int linux_open_sysfs(void) {
    int context = fsopen("sysfs", FSOPEN_CLOEXEC);
    if (context == -1) return -1;
    int root = -1;
    if (fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
        root = fsmount(context, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
    int error = errno;
    close(context);
    errno = error;
    return root;
}

static int forget_code_of(struct dl_phdr_info *object, size_t count, void *page_count) {
    (void)count;
    const uintptr_t page = *(const size_t *)page_count;
    for (int index = 0; index < object->dlpi_phnum; index++) {
        const ElfW(Phdr) *segment = &object->dlpi_phdr[index];
        // What is never written to is the file's own; relocated constants lie in writable segments.
        if (segment->p_type != PT_LOAD || segment->p_flags & PF_W) continue;
        const uintptr_t start = object->dlpi_addr + segment->p_vaddr;
        const uintptr_t first = (start + page - 1) / page * page;
        const uintptr_t end = (start + segment->p_memsz) / page * page;
        if (first < end) madvise((void *)first, end - first, MADV_DONTNEED);
    }
    return 0;
}

void linux_forget_code(void) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    dl_iterate_phdr(forget_code_of, &page);
}

int linux_status_but_changes(int descriptor, struct stat *status) {
    struct statx found;
    const unsigned wanted = STATX_BASIC_STATS & ~(STATX_MTIME | STATX_CTIME);
    if (statx(descriptor, "", AT_EMPTY_PATH, wanted, &found) == -1) return -1;
    status->st_dev = makedev(found.stx_dev_major, found.stx_dev_minor);
    status->st_ino = found.stx_ino;
    status->st_mode = found.stx_mode;
    status->st_nlink = found.stx_nlink;
    status->st_uid = found.stx_uid;
    status->st_gid = found.stx_gid;
    status->st_rdev = makedev(found.stx_rdev_major, found.stx_rdev_minor);
    status->st_size = (off_t)found.stx_size;
    status->st_blksize = (blksize_t)found.stx_blksize;
    status->st_blocks = (blkcnt_t)found.stx_blocks;
    status->st_atim.tv_sec = found.stx_atime.tv_sec;
    status->st_atim.tv_nsec = found.stx_atime.tv_nsec;
    return 0;
}

int linux_file_system_type(const char *path, uint64_t *type) {
    struct statfs status;
    if (statfs(path, &status) == -1) return -1;
    *type = (uint64_t)status.f_type;
    return 0;
}

int linux_file_system_type_of(int descriptor, uint64_t *type) {
    struct statfs status;
    if (fstatfs(descriptor, &status) == -1) return -1;
    *type = (uint64_t)status.f_type;
    return 0;
}
