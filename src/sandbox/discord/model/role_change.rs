//! Role management: creating, changing and deleting roles.

use serde_json::{Value, json};

use super::{Guild, Permission, Refusal, Role, RoleChange, World};
use crate::clock::Timestamp;
use crate::sandbox::Snowflake;

impl Guild {
    /// A manager of roles may manage only those below their own highest (Discord: "Permission Hierarchy").
    fn check_rank(&self, user: Snowflake, role: &Role) -> Result<(), Refusal> {
        if self.rank(user) > role.position { Ok(()) } else { Err(Refusal::MissingPermissions) }
    }

    fn rank(&self, user: Snowflake) -> usize {
        let held = self.members.get(&user).map(|member| member.roles.as_slice()).unwrap_or_default();
        let highest =
            self.roles.iter().filter(|role| held.contains(&role.id)).map(|role| role.position).max();
        if user == self.owner { usize::MAX } else { highest.unwrap_or(0) }
    }

    /// A user can only grant permissions that they have.
    fn check_gift(&self, user: Snowflake, change: &RoleChange) -> Result<(), Refusal> {
        let has_all = change.permissions.is_none_or(|given| self.permissions(user).has_all(given));
        if has_all { Ok(()) } else { Err(Refusal::MissingPermissions) }
    }
}

impl World {
    /// Creates a role below all others (Discord: "Create Guild Role").
    pub fn make_role(
        &mut self,
        user: Snowflake,
        guild: Snowflake,
        change: RoleChange,
        now: Timestamp,
    ) -> Result<Value, Refusal> {
        let found = self.guild_with(user, guild, Permission::ManageRoles)?;
        found.check_gift(user, &change)?;
        let everyone = found.roles.first().map(|role| role.permissions).unwrap_or_default();
        let id = self.mint(now);
        let role = Role {
            id,
            name: change.name.unwrap_or_else(|| "new role".to_owned()),
            permissions: change.permissions.unwrap_or(everyone),
            mentionable: change.mentionable.unwrap_or_default(),
            managed: false,
            position: 1,
        };
        let object = role.object();
        if let Some(guild) = self.guilds.get_mut(&guild) {
            guild.roles.iter_mut().filter(|role| role.position > 0).for_each(|role| role.position += 1);
            guild.roles.push(role);
        }
        self.dispatch("GUILD_ROLE_CREATE", json!({"guild_id": guild, "role": object}));
        Ok(object)
    }

    /// Changes a role; the user needs Manage Roles and a higher role.
    pub fn change_role(
        &mut self,
        user: Snowflake,
        guild: Snowflake,
        id: Snowflake,
        change: RoleChange,
    ) -> Result<Value, Refusal> {
        let found = self.guild_with(user, guild, Permission::ManageRoles)?;
        let role = found.roles.iter().find(|role| role.id == id).ok_or(Refusal::UnknownRole)?;
        found.check_rank(user, role)?;
        found.check_gift(user, &change)?;
        let mut role = role.clone();
        role.name = change.name.unwrap_or(role.name);
        role.permissions = change.permissions.unwrap_or(role.permissions);
        role.mentionable = change.mentionable.unwrap_or(role.mentionable);
        let object = role.object();
        if let Some(guild) = self.guilds.get_mut(&guild) {
            guild.roles.iter_mut().filter(|known| known.id == id).for_each(|known| *known = role.clone());
        }
        self.dispatch("GUILD_ROLE_UPDATE", json!({"guild_id": guild, "role": object}));
        Ok(object)
    }

    /// Sets whether everybody may mention a role, or only members who may mention all; done as the guild's owner.
    pub fn set_mentionable(&mut self, guild: Snowflake, id: Snowflake, mentionable: bool) {
        let Some(owner) = self.guilds.get(&guild).map(|guild| guild.owner) else { return };
        let change = RoleChange { mentionable: Some(mentionable), ..RoleChange::default() };
        // The owner may change every role.
        let _ = self.change_role(owner, guild, id, change);
    }

    /// Deletes a role and removes it from its members. `@everyone` and managed roles cannot be deleted.
    pub fn delete_role(&mut self, user: Snowflake, guild: Snowflake, id: Snowflake) -> Result<(), Refusal> {
        let found = self.guild_with(user, guild, Permission::ManageRoles)?;
        let role = found.roles.iter().find(|role| role.id == id).ok_or(Refusal::UnknownRole)?;
        found.check_rank(user, role)?;
        if role.managed || id == guild {
            return Err(Refusal::InvalidRole);
        }
        if let Some(guild) = self.guilds.get_mut(&guild) {
            guild.roles.retain(|role| role.id != id);
            guild.members.values_mut().for_each(|member| member.roles.retain(|held| *held != id));
        }
        self.dispatch("GUILD_ROLE_DELETE", json!({"guild_id": guild, "role_id": id}));
        Ok(())
    }

    /// The guild, if the user has the permission `needed` in it.
    fn guild_with(&self, user: Snowflake, guild: Snowflake, needed: Permission) -> Result<&Guild, Refusal> {
        let found = self.guild(user, guild)?;
        if found.permissions(user).has(needed) { Ok(found) } else { Err(Refusal::MissingPermissions) }
    }
}
