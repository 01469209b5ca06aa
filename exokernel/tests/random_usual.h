// SPDX-License-Identifier: MIT
// What a call's arguments usually are, a letter each:
//     handles  b bank, f frames, s segment, a address space, e environment, p endpoint, l slice, q
//     interrupts, o ports,
//              d device, m machine, x any; a capital letter: or 0
//     numbers  r rights, 0 zero, 1 few, i an index, v a place, c count and rights, n a frame, t a
//     time, h 64's multiple,
//              k a bit, w a width, z bytes, u anything
//     *        a pointer
static const struct {
    uint32_t nr;
    const char *usual;
    uint8_t type; // of the capability that is the result
} calls[] = {
    // clang-format off
    {EXO_CALL_cap_derive, "xr000", 1}, {EXO_CALL_cap_copy, "xrEi", 1}, {EXO_CALL_cap_delete,
    "x", 0}, {EXO_CALL_cap_revoke, "x", 0}, {EXO_CALL_cap_identify, "x*", 0},
    {EXO_CALL_cap_clone_table, "e*0*0", 0}, {EXO_CALL_bank_split, "b1", 'b'},
    {EXO_CALL_bank_fold, "b", 0}, {EXO_CALL_bank_destroy, "b", 0}, {EXO_CALL_frames_alloc,
    "b10n", 'f'}, {EXO_CALL_segment_create, "b", 's'}, {EXO_CALL_segment_fill, "sif0c", 0},
    {EXO_CALL_segment_clear, "si1", 0}, {EXO_CALL_segment_harvest, "shh*", 0},
    {EXO_CALL_aspace_create, "b", 'a'}, {EXO_CALL_aspace_batch, "Ab*1", 0},
    {EXO_CALL_aspace_clone, "ab*1*", 0}, {EXO_CALL_env_create, "bAPu", 'e'},
    {EXO_CALL_env_set_aspace, "EAB", 0}, {EXO_CALL_ctx_create, "ebfv", 0}, {EXO_CALL_ctx_set,
    "e0*", 0}, {EXO_CALL_ctx_get, "e0*", 0}, {EXO_CALL_ctx_bind, "e0L", 0}, {EXO_CALL_env_kill,
    "eu0", 0}, {EXO_CALL_env_exit, "u", 0}, {EXO_CALL_env_memory, "Ev*zk", 0},
    {EXO_CALL_ctx_bases, "uu", 0}, {EXO_CALL_env_notify, "eu", 0}, {EXO_CALL_slice_split, "l1",
    'l'}, {EXO_CALL_ctx_yield, "E0u", 0}, {EXO_CALL_endpoint_create, "b", 'p'}, {EXO_CALL_call,
    "", 0}, {EXO_CALL_reply_wait, "", 0}, {EXO_CALL_wait, "*1t", 0}, {EXO_CALL_wake, "vu", 0},
    {EXO_CALL_ctx_alarm, "tu", 0}, {EXO_CALL_irq_bind, "qkk", 0},
    {EXO_CALL_irq_ack, "qk", 0}, {EXO_CALL_port_io, "o1wu", 0}, {EXO_CALL_port_string, "o1*zk",
    0}, {EXO_CALL_device_config, "diwu", 0}, {EXO_CALL_device_bar, "dib", 'f'},
    {EXO_CALL_machine_log, "m*z", 0}, {EXO_CALL_machine_power, "m1u", 0},
    {EXO_CALL_machine_check, "m*0", 0}, {EXO_CALL_machine_trace, "m*z*", 0},
    // clang-format on
};
