// SPDX-License-Identifier: MIT
//
// The ext2 disk format: what lies in the blocks, field by field, little-endian.
//
// The structures are overlaid on mapped blocks, so they hold nothing but fixed-width integers at
// their natural alignment. Nothing read through them is trusted: super.c checks the geometry once
// at mount, everything else is checked at each use. Layout: the ext2 documentation in Linux
// (Documentation/filesystems/ext4/) and e2fsprogs' dumpe2fs output.
#ifndef EXT_DISK_H
#define EXT_DISK_H

#include <stdint.h>

#define EXT_BLOCK_SIZE  4096u
#define EXT_BLOCK_SHIFT 12
#define EXT_PTRS        1024u // block pointers in an indirect block
#define EXT_PTRS_SHIFT  10
#define EXT_NDIRECT     12u
#define EXT_NBLOCK      15u

#define EXT_SUPER_OFFSET 1024u
#define EXT_MAGIC        0xef53u
#define EXT_ROOT_INO     2u
#define EXT_LINK_MAX     32000u

// s_state
#define EXT_STATE_VALID 1u
#define EXT_STATE_ERROR 2u

#define EXT_COMPAT_SPARSE_SUPER2 0x0200u

#define EXT_INCOMPAT_FILETYPE 0x0002u
#define EXT_INCOMPAT_FLEX_BG  0x0200u
#define EXT_INCOMPAT_KNOWN    (EXT_INCOMPAT_FILETYPE | EXT_INCOMPAT_FLEX_BG)

#define EXT_RO_SPARSE_SUPER 0x0001u
#define EXT_RO_LARGE_FILE   0x0002u
#define EXT_RO_EXTRA_ISIZE  0x0040u
#define EXT_RO_KNOWN        (EXT_RO_SPARSE_SUPER | EXT_RO_LARGE_FILE | EXT_RO_EXTRA_ISIZE)

struct ext_disk_super {
    uint32_t s_inodes_count;
    uint32_t s_blocks_count;
    uint32_t s_r_blocks_count;
    uint32_t s_free_blocks_count;
    uint32_t s_free_inodes_count;
    uint32_t s_first_data_block;
    uint32_t s_log_block_size;
    uint32_t s_log_frag_size;
    uint32_t s_blocks_per_group;
    uint32_t s_frags_per_group;
    uint32_t s_inodes_per_group;
    uint32_t s_mtime;
    uint32_t s_wtime;
    uint16_t s_mnt_count;
    uint16_t s_max_mnt_count;
    uint16_t s_magic;
    uint16_t s_state;
    uint16_t s_errors;
    uint16_t s_minor_rev_level;
    uint32_t s_lastcheck;
    uint32_t s_checkinterval;
    uint32_t s_creator_os;
    uint32_t s_rev_level;
    uint16_t s_def_resuid;
    uint16_t s_def_resgid;
    uint32_t s_first_ino;
    uint16_t s_inode_size;
    uint16_t s_block_group_nr;
    uint32_t s_feature_compat;
    uint32_t s_feature_incompat;
    uint32_t s_feature_ro_compat;
    uint8_t s_uuid[16];
    char s_volume_name[16];
    char s_last_mounted[64];
    uint32_t s_algorithm_usage_bitmap;
    uint8_t s_prealloc_blocks;
    uint8_t s_prealloc_dir_blocks;
    uint16_t s_reserved_gdt_blocks;
    uint8_t s_journal_uuid[16];
    uint32_t s_journal_inum;
    uint32_t s_journal_dev;
    uint32_t s_last_orphan;
    uint32_t s_hash_seed[4];
    uint8_t s_def_hash_version;
    uint8_t s_jnl_backup_type;
    uint16_t s_desc_size;
    uint32_t s_default_mount_opts;
    uint32_t s_first_meta_bg;
    uint32_t s_mkfs_time;
    uint32_t s_jnl_blocks[17];
    uint32_t s_blocks_count_hi;
    uint32_t s_r_blocks_count_hi;
    uint32_t s_free_blocks_count_hi;
    uint16_t s_min_extra_isize;
    uint16_t s_want_extra_isize;
    uint8_t s_rest[672];
};

struct ext_disk_group {
    uint32_t bg_block_bitmap;
    uint32_t bg_inode_bitmap;
    uint32_t bg_inode_table;
    uint16_t bg_free_blocks_count;
    uint16_t bg_free_inodes_count;
    uint16_t bg_used_dirs_count;
    uint16_t bg_flags;
    uint32_t bg_reserved[3];
};

#define EXT_GROUPS_PER_BLOCK (EXT_BLOCK_SIZE / sizeof(struct ext_disk_group))

// i_flags
#define EXT_FL_IMMUTABLE 0x00000010u
#define EXT_FL_APPEND    0x00000020u
#define EXT_FL_INDEX     0x00001000u
#define EXT_FL_TOPDIR    0x00020000u
// Flags of formats this library refuses: extents, huge file counts, attribute inodes, inline data,
// casefold, encrypt.
#define EXT_FL_FOREIGN 0x502c0800u
// Flags a new inode takes from its directory (secrm, unrm, compr, sync, nodump, noatime).
#define EXT_FL_INHERIT 0x000000cfu

#define EXT_INODE_BASE  128u // bytes every revision has
#define EXT_EXTRA_ISIZE 32u  // through i_projid

struct ext_disk_inode {
    uint16_t i_mode;
    uint16_t i_uid;
    uint32_t i_size;
    uint32_t i_atime;
    uint32_t i_ctime;
    uint32_t i_mtime;
    uint32_t i_dtime;
    uint16_t i_gid;
    uint16_t i_links_count;
    uint32_t i_blocks;
    uint32_t i_flags;
    uint32_t i_version;
    uint32_t i_block[EXT_NBLOCK];
    uint32_t i_generation;
    uint32_t i_file_acl;
    uint32_t i_size_high;
    uint32_t i_faddr;
    uint16_t i_blocks_high;
    uint16_t i_file_acl_high;
    uint16_t i_uid_high;
    uint16_t i_gid_high;
    uint16_t i_checksum_lo;
    uint16_t i_reserved;
    // from here on only in inodes of 256 bytes and more, as far as i_extra_isize reaches
    uint16_t i_extra_isize;
    uint16_t i_checksum_hi;
    uint32_t i_ctime_extra;
    uint32_t i_mtime_extra;
    uint32_t i_atime_extra;
    uint32_t i_crtime;
    uint32_t i_crtime_extra;
    uint32_t i_version_hi;
    uint32_t i_projid;
};

struct ext_disk_dirent {
    uint32_t inode;
    uint16_t rec_len;
    uint8_t name_len;
    uint8_t file_type;
    char name[];
};

#define EXT_DIRENT_HEAD       8u
#define EXT_DIRENT_SIZE(nlen) ((EXT_DIRENT_HEAD + (uint32_t)(nlen) + 3u) & ~3u)
#define EXT_DIRENT_MIN        EXT_DIRENT_SIZE(1)

// file_type
enum {
    EXT_FT_UNKNOWN,
    EXT_FT_REG,
    EXT_FT_DIR,
    EXT_FT_CHR,
    EXT_FT_BLK,
    EXT_FT_FIFO,
    EXT_FT_SOCK,
    EXT_FT_LNK,
    EXT_FT_COUNT
};

// Head of an extended attribute block; only the reference count matters here.
#define EXT_XATTR_MAGIC 0xea020000u

struct ext_disk_xattr {
    uint32_t h_magic;
    uint32_t h_refcount;
    uint32_t h_blocks;
    uint32_t h_hash;
};

_Static_assert(sizeof(struct ext_disk_super) == 1024, "superblock");
_Static_assert(sizeof(struct ext_disk_group) == 32, "group descriptor");
_Static_assert(sizeof(struct ext_disk_inode) == 160, "inode");
_Static_assert(__builtin_offsetof(struct ext_disk_inode, i_extra_isize) == 128, "inode");
_Static_assert(__builtin_offsetof(struct ext_disk_super, s_last_orphan) == 232, "superblock");

#endif
